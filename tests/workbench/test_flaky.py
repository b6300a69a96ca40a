"""Spoken tests that need a further try are counted over the runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench.bench.flaky import (
    COUNTED_RUNS,
    KEPT_RUNS,
    Count,
    Run,
    add,
    counts,
    read,
    summary,
    table,
)

A, B = "tests/calls/test_x.py::test_a", "tests/calls/test_x.py::test_b"


def run(*tried_again: str, ran: tuple[str, ...] = (A, B), revision: str = "abc1234") -> Run:
    at = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)
    return Run(revision=revision, ended_at=at, ran=ran, tried_again=tried_again)


def test_a_test_that_passes_at_once_is_not_counted() -> None:
    assert counts([run(), run()]) == []


def test_one_further_try_is_chance_and_two_are_a_fault() -> None:
    once, twice = [run(A), run()], [run(A, revision="old"), run(), run(A, revision="new")]
    assert counts(once) == [Count(A, 1, 2, ("abc1234",))]
    assert counts(twice) == [Count(A, 2, 3, ("old", "new"))]
    assert [each.is_fault for each in (*counts(once), *counts(twice))] == [False, True]


def test_the_last_ten_runs_of_a_test_count() -> None:
    long_ago = [run(A), run(A), *[run()] * (COUNTED_RUNS - 1)]
    assert [each.tried_again for each in counts(long_ago)] == [1]
    assert counts([*long_ago, run()]) == []


def test_a_run_without_a_test_does_not_count_for_it() -> None:
    runs = [run(A), *[run(ran=(B,))] * COUNTED_RUNS, run(A)]
    assert counts(runs) == [Count(A, 2, 2, ("abc1234",) * 2)]


def test_the_most_frequent_comes_first() -> None:
    assert [each.test for each in counts([run(A, B), run(B)])] == [B, A]


def test_the_end_of_a_run_names_its_own_and_says_what_is_a_fault() -> None:
    latest = run(A)
    assert summary(latest, [run(B), run(A), latest]) == [
        f"{A}: in 2 of 3 runs: a fault to mend",
        "`make flaky` shows all of the last runs",
    ]
    assert summary(latest, [latest])[0] == f"{A}: in 1 of 1 runs"
    assert summary(run(), [run(A), run()]) == []


def test_the_table_says_how_many_runs_it_stands_on() -> None:
    assert table([run(A, revision="old"), run()]) == [
        "2 runs with 4 spoken tests, 2026-11-27 23:00 to 2026-11-27 23:00",
        f"{A}: in 1 of 2 runs (old)",
        "needed a further try: 1; faults to mend among them: 0",
    ]
    assert table([]) == ["No run with a spoken test is known here: `make test` makes one."]


def test_a_file_keeps_what_is_added(tmp_path: Path) -> None:
    path = tmp_path / "new" / "runs.jsonl"
    assert read(path) == []
    assert add(run(A), path) == [run(A)]
    assert add(run(B), path) == read(path) == [run(A), run(B)]


def test_a_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    for number in range(KEPT_RUNS + 3):
        add(run(revision=str(number)), path)
    kept = [str(number) for number in range(3, KEPT_RUNS + 3)]
    assert [each.revision for each in read(path)] == kept
    assert len(path.read_text("utf-8").splitlines()) == KEPT_RUNS


@pytest.mark.parametrize(
    "garbage", [b"\xff\x00", b"{", b'{"revision": 1}', b"[]", b"\n\n", b"null"]
)
def test_garbage_in_the_file_costs_only_itself(garbage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    add(run(A), path)
    with path.open("ab") as file:
        file.write(garbage + b"\n")
    assert read(path) == [run(A)]
    assert add(run(B), path) == read(path) == [run(A), run(B)]


def test_a_line_that_broke_off_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    add(run(A), path)
    path.write_text(path.read_text("utf-8")[:-9], "utf-8")
    assert add(run(B), path) == read(path) == [run(B)]


def test_runs_that_end_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    names = [str(number) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add(run(revision=name), path), names))
    assert sorted(each.revision for each in read(path)) == sorted(names)
