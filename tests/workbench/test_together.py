"""`make bench`: one table of all benchmarks, its ratios, and the history of its runs."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench.bench.figures import Figure
from workbench.bench.together import history
from workbench.bench.together.benchmarks import BENCHMARKS, TOTAL_SECONDS, Benchmark
from workbench.bench.together.history import Found, Machine, Run, last_on
from workbench.bench.together.page import page
from workbench.bench.together.running import Outcome, run_all
from workbench.bench.together.table import HEADS, changed, failed, rows, shown
from workbench.local.running import PROJECT

CPU = Figure(name="CPU of a call", unit="% of a core", ours=6.5, stock=13, floor=5)
WAIT = Figure(name="reply", unit="ms", ours=640)
ANSWERED = Figure(name="turns answered", unit="", ours=12, more_is_better=True)
HERE = Machine(cpu="AMD EPYC", cores=2, memory_gb=24, python="3.11.7")
THERE = Machine(cpu="Xeon", cores=4, memory_gb=16, python="3.12.1")


def run(
    *figures: Figure, machine: Machine = HERE, minute: int = 0, revision: str = "abc1234"
) -> Run:
    return Run(
        at=datetime(2026, 11, 28, 7, minute, tzinfo=UTC),
        revision=revision,
        machine=machine,
        load=0.5,
        found={"Answers": Found(seconds=61.2, figures=figures)},
    )


def test_a_row_has_all_three_and_ours_as_a_share_of_the_others() -> None:
    found = list(rows(Outcome("Cost", 1.0, [CPU, WAIT])))
    assert found == [
        ("CPU of a call, % of a core", "6.5", "13", "5", "0.50", "1.30", ""),
        ("reply, ms", "640", "", "", "", "", ""),
    ]


def test_a_benchmark_that_failed_is_a_row_that_says_so_beside_what_it_found() -> None:
    outcome = Outcome("Cost", 1.0, [ANSWERED], "ended with code 1: a caller was lost")
    found = list(rows(outcome))
    assert [row[0] for row in found] == [
        "turns answered",
        "FAILED: ended with code 1: a caller was lost",
    ]
    assert {len(row) for row in found} == {len(HEADS)}
    assert failed([outcome, Outcome("Other", 1.0, [CPU])]) == ["Cost"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0, "0"), (12.0, "12"), (0.01234, "0.0123"), (6.54, "6.54"), (1234.5, "1234")],
)
def test_figures_have_three_digits(value: float | None, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("figure", "last", "text"),
    [
        (WAIT, None, ""),
        (WAIT, WAIT.model_copy(update={"ours": 620.0}), "620"),
        (WAIT, WAIT.model_copy(update={"ours": 500.0}), "500, WORSE"),
        (WAIT, WAIT.model_copy(update={"ours": 800.0}), "800, better"),
        (WAIT, WAIT.model_copy(update={"ours": 0.5, "unit": "s"}), ""),
        (ANSWERED, ANSWERED.model_copy(update={"ours": 8.0}), "8, better"),
        (ANSWERED, ANSWERED.model_copy(update={"ours": 13.0}), "13, WORSE"),
        (ANSWERED, ANSWERED.model_copy(update={"ours": 0.0}), "0, better"),
    ],
)
def test_a_figure_is_beside_what_it_was_last_time(
    figure: Figure, last: Figure | None, text: str
) -> None:
    assert changed(figure, last) == text


def test_runs_come_back_from_the_history_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert history.read(path) == []
    first, second = run(CPU), run(WAIT, minute=1)
    history.add(first, path)
    with path.open("a") as file:
        file.write("a line that somebody has torn\n")
    history.add(second, path)
    assert history.read(path) == [first, second]


def test_every_run_in_the_repository_can_be_read() -> None:
    lines = history.FILE.read_text("utf-8").splitlines() if history.FILE.exists() else []
    assert len(history.read()) == len(lines)


def test_last_time_is_the_last_on_such_a_machine() -> None:
    faster = WAIT.model_copy(update={"ours": 100.0})
    runs = [run(WAIT), run(faster, machine=THERE), run()]
    assert list(last_on(HERE, runs, "Answers")) == [WAIT]
    assert list(last_on(THERE, runs, "Answers")) == [faster]
    assert list(last_on(HERE, runs, "Chaos")) == []


def test_the_page_has_the_latest_run_and_how_its_figures_moved() -> None:
    old = run(CPU, WAIT, revision="0000001")
    new = run(CPU.model_copy(update={"ours": 5.2}), WAIT, minute=30, revision="0000002")
    text = page([old, new])
    assert "commit 0000002, 2 cores of AMD EPYC, 24 GB, Python 3.11.7" in text
    assert "| CPU of a call, % of a core | 5.2 | 13 | 5 | 0.40 | 1.04 | 6.5, better |" in text
    assert "| | 11-28 07:00 0000001 | 11-28 07:30 0000002 |".replace("| |", "|  |") in text
    assert "| Answers: CPU of a call | 0.50 | 0.40 |" in text
    assert "| Answers: reply | 640 ms | 640 ms |" in text


def test_a_page_of_a_first_run_is_whole() -> None:
    assert page([run(CPU)]).count("CPU of a call") == 2


def git(folder: Path, *arguments: str) -> None:
    own = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_revision_says_whether_files_have_changed_since(tmp_path: Path) -> None:
    assert history.revision(tmp_path) == "unknown"
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "one")
    named = history.revision(tmp_path)
    assert len(named) >= 7
    assert not named.endswith("+")
    (tmp_path / "file").write_text("two")
    assert history.revision(tmp_path) == f"{named}+"


def test_this_machine_is_named() -> None:
    assert Machine.here().cores >= 1
    assert Machine.here().memory_gb >= 1
    assert Machine.here().cpu


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda each: each.module)
def test_every_benchmark_exists_and_takes_a_file_for_its_figures(benchmark: Benchmark) -> None:
    path = PROJECT / benchmark.module.replace(".", "/")
    source = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    text = source.read_text("utf-8")
    assert "add_json_option(" in text
    assert [each for each in benchmark.arguments if f'"{each}"' not in text] == []


def test_no_two_benchmarks_share_a_name() -> None:
    assert len({each.name for each in BENCHMARKS}) == len(BENCHMARKS)
    assert len({each.module for each in BENCHMARKS}) == len(BENCHMARKS)
    assert TOTAL_SECONDS <= 900


PROGRAM = """
import sys, threading
kind, file = sys.argv[1], sys.argv[-1]
figure = '[{"name": "reply", "unit": "ms", "ours": 640}]'
if kind in ("finds", "finds-and-fails"):
    open(file, "w").write(figure)
if kind == "rubbish":
    open(file, "w").write("{")
if kind == "hangs":
    threading.Event().wait()
print("nobody answered" if kind != "finds" else "well")
sys.exit(kind in ("fails", "finds-and-fails"))
"""


class _Program(Benchmark):
    """A benchmark that is a program of this test."""

    def argv(self, figures: Path) -> list[str]:
        whole = super().argv(figures)
        return [whole[0], "-c", PROGRAM, *whole[3:]]


@pytest.mark.parametrize(
    ("kind", "fault", "found"),
    [
        ("finds", "", [WAIT]),
        ("finds-and-fails", "ended with code 1: nobody answered", [WAIT]),
        ("fails", "ended with code 1: nobody answered", []),
        ("rubbish", "its figures cannot be read", []),
        ("silent", "wrote no figures", []),
        ("hangs", "stopped after 1 s, which is as long as it may take", []),
    ],
)
async def test_a_benchmark_is_run_and_read_and_its_failure_told(
    kind: str, fault: str, found: list[Figure], tmp_path: Path
) -> None:
    (tmp_path / "some.json").write_text(json.dumps([CPU.model_dump()]))  # of an earlier run
    limit_seconds = 1 if kind == "hangs" else 60
    program = _Program("Some", "workbench.some", (kind,), limit_seconds)
    outcomes = [each async for each in run_all([program], tmp_path, total_seconds=60)]
    assert [(each.fault, list(each.figures)) for each in outcomes] == [(fault, found)]


async def test_what_no_time_is_left_for_is_a_failure_and_no_hanging(tmp_path: Path) -> None:
    program = _Program("Some", "workbench.some", ("finds",), 60)
    outcomes = [each async for each in run_all([program], tmp_path, total_seconds=0)]
    assert [each.fault for each in outcomes] == ["no time was left for it"]
