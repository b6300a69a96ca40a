"""The budget of new sessions: tokens that come back after a minute, shared by all processes."""

import logging
import multiprocessing
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt_assemblyai.budget import SharedBudget, file_for, free, take

NOW = 1_800_000_000.0


def waits(tokens: int, times: list[float]) -> list[float]:
    """What each of these requests has to wait."""
    returns: list[float] = []
    found = []
    for now in times:
        wait_seconds, returns = take(returns, tokens, now)
        found.append(wait_seconds)
    return found


def test_a_minutes_worth_is_given_at_once_and_the_rest_a_minute_later() -> None:
    assert waits(3, [NOW] * 7) == [0, 0, 0, 60, 60, 60, 120]


def test_a_token_comes_back_a_minute_after_it_was_taken() -> None:
    assert waits(2, [NOW, NOW + 30, NOW + 61, NOW + 62]) == [0, 0, 0, 28]


def test_a_clock_that_was_set_back_does_not_lock_the_machine_out() -> None:
    wait_seconds, _ = take([NOW + 1e6] * 5, 5, NOW)
    assert wait_seconds == 0


@given(
    tokens=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=100),
)
def test_no_minute_sees_more_openings_than_tokens(tokens: int, gaps: list[float]) -> None:
    times = [NOW + sum(gaps[: index + 1]) for index in range(len(gaps))]
    openings = sorted(now + wait for now, wait in zip(times, waits(tokens, times), strict=True))
    for start in openings:
        within = [opening for opening in openings if start <= opening < start + 59.999]
        assert len(within) <= tokens


@given(
    tokens=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 30), max_size=60),
    within_seconds=st.floats(0, 120),
)
def test_as_many_sessions_are_free_as_could_be_opened_in_time(
    tokens: int, gaps: list[float], within_seconds: float
) -> None:
    now, returns = NOW, list[float]()
    for gap in gaps:
        now += gap
        _, returns = take(returns, tokens, now)
    in_time, left = 0, returns
    while in_time < tokens:
        wait_seconds, left = take(left, tokens, now)
        if now + wait_seconds > now + within_seconds:
            break
        in_time += 1
    assert free(returns, tokens, now, within_seconds) == in_time


def test_to_look_takes_no_token_nor_does_a_wait_that_is_too_long(tmp_path: Path) -> None:
    budget = SharedBudget(1, tmp_path / "budget")
    assert budget.free(NOW, 5) == budget.free(NOW, 5) == 1
    assert budget.take(NOW) == 0
    assert budget.free(NOW, 5) == 0
    assert budget.take(NOW, at_most_seconds=30) == 60
    assert budget.take(NOW) == 60
    assert budget.free(NOW + 56, 5) == 0  # two are in the queue, for one token


def _take_five(path: Path) -> list[float]:
    budget = SharedBudget(20, path)
    return [budget.take(NOW) for _ in range(5)]


def test_processes_share_one_bucket(tmp_path: Path) -> None:
    path = tmp_path / "budget"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        taken = pool.map(_take_five, [path] * 6)
    assert sorted(wait for each in taken for wait in each) == [0] * 20 + [60] * 10


def test_a_file_that_cannot_be_used_is_said_once_and_the_process_keeps_its_own_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    budget = SharedBudget(2, tmp_path / "missing" / "budget")
    with caplog.at_level(logging.WARNING, logger="stt_assemblyai"):
        assert [budget.take(NOW) for _ in range(2)] == [0, 0]
        assert budget.free(NOW, 5) == 0
        assert budget.take(NOW, at_most_seconds=30) == budget.take(NOW) == 60
    assert len(caplog.records) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 16, bytes(24)])
def test_a_file_with_strange_content_withholds_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "budget"
    path.write_bytes(content)
    assert SharedBudget(1, path).take(NOW) == 0


def test_the_file_belongs_to_its_owner_and_does_not_give_the_key_away(tmp_path: Path) -> None:
    path = tmp_path / "budget"
    SharedBudget(1, path).take(NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret-key" not in str(file_for("secret-key"))
    assert file_for("secret-key") == file_for("secret-key") != file_for("another-key")
