"""The budget of new sessions: a moving window in a file that all processes of a machine share."""

import contextlib
import logging
import math
import multiprocessing
import resource
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stt_assemblyai.budget import WINDOW_SECONDS, MachineBudget, digest_of, file_for, pause_seconds

NOW = 1_800_000_000.0
MINUTE = 60.0


class Clock:
    """The unix time that the budget and its library see."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("time.time", made)
    return made


def test_a_minutes_worth_is_given_at_once_and_the_next_a_minute_later(
    clock: Clock, tmp_path: Path
) -> None:
    budget = MachineBudget(3, tmp_path / "budget")
    assert [budget.take_now() for _ in range(3)] == [0, 0, 0]
    assert budget.take_now() == pytest.approx(WINDOW_SECONDS, abs=0.01)
    clock.now += 40
    assert budget.take_now() == pytest.approx(WINDOW_SECONDS - 40, abs=0.01)


async def test_who_waits_as_long_as_it_says_gets_the_next_one(clock: Clock, tmp_path: Path) -> None:
    budget = MachineBudget(1, tmp_path / "budget")
    assert await budget.take() == 0
    clock.now += await budget.take()
    assert await budget.take() == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    per_minute=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=60),
)
def test_no_minute_sees_more_sessions_than_it_may(
    clock: Clock, tmp_path_factory: pytest.TempPathFactory, per_minute: int, gaps: list[float]
) -> None:
    budget = MachineBudget(per_minute, tmp_path_factory.mktemp("budget") / "budget")
    opened = []
    for gap in gaps:
        clock.now += gap
        if not budget.take_now():
            opened.append(clock.now)
    for start in opened:
        assert sum(start <= each <= start + MINUTE for each in opened) <= per_minute


def test_to_look_takes_nothing_and_tells_what_comes_back_in_time(
    clock: Clock, tmp_path: Path
) -> None:
    budget = MachineBudget(2, tmp_path / "budget")
    assert budget.free(5) == budget.free(5) == 2
    budget.take_now()
    clock.now += 10
    budget.take_now()
    assert budget.free(5) == 0
    clock.now += 47  # the first one comes back in four seconds
    assert budget.free(5) == 1
    assert budget.free(1) == 0


def test_who_only_asks_how_long_to_wait_takes_nothing(clock: Clock, tmp_path: Path) -> None:
    budget = MachineBudget(1, tmp_path / "budget")
    assert budget.pause_seconds() == budget.pause_seconds() == budget.take_now() == 0
    assert budget.pause_seconds() == pytest.approx(WINDOW_SECONDS, abs=0.01)


def _take_five(path: Path) -> list[float]:
    budget = MachineBudget(20, path)
    return [budget.take_now() for _ in range(5)]


def test_processes_share_one_window(tmp_path: Path) -> None:
    path = tmp_path / "budget"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        taken = [wait for each in pool.map(_take_five, [path] * 6) for wait in each]
    assert taken.count(0) == 20
    assert all(wait > 50 for wait in taken if wait)


def test_a_clock_that_was_set_back_does_not_lock_the_machine_out(
    clock: Clock, tmp_path: Path
) -> None:
    budget = MachineBudget(1, tmp_path / "budget")
    clock.now += 3600
    assert budget.take_now() == 0
    clock.now -= 3600
    assert budget.take_now() == 0


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 16, bytes(24)])
def test_a_file_with_strange_content_withholds_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "budget"
    path.write_bytes(content)
    assert MachineBudget(1, path).take_now() == 0


def test_a_file_that_cannot_be_used_is_said_once_and_the_process_keeps_its_own_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    budget = MachineBudget(2, tmp_path / "missing" / "budget")
    with caplog.at_level(logging.WARNING, logger="stt_assemblyai"):
        assert [budget.take_now() for _ in range(2)] == [0, 0]
        assert budget.free(5) == 0
        assert budget.take_now() > 50
    assert len(caplog.records) == 1


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow, this process' output included."""
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)


def test_a_full_disk_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    budget = MachineBudget(1, tmp_path / "budget")
    with caplog.at_level(logging.WARNING, logger="stt_assemblyai"), full_disk():
        assert budget.take_now() == 0
    assert len(caplog.records) == 1


def test_the_file_stays_small_and_no_thread_is_left(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "budget"
    before = threading.enumerate()
    budget = MachineBudget(5, path)
    for _ in range(50):
        budget.take_now()
        clock.now += 20
    assert path.stat().st_size == 5 * 8
    assert threading.enumerate() == before


def test_the_file_belongs_to_its_owner_and_does_not_give_the_key_away(tmp_path: Path) -> None:
    path = tmp_path / "budget"
    MachineBudget(1, path).take_now()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret-key" not in str(file_for("secret-key"))
    assert file_for("secret-key") == file_for("secret-key") != file_for("another-key")
    assert digest_of("secret-key") in file_for("secret-key").name


def test_a_place_that_is_back_already_is_asked_for_at_once() -> None:
    assert 0 < pause_seconds(NOW - 1, NOW) < 0.01
    assert math.isclose(pause_seconds(NOW + 5, NOW), 5, abs_tol=0.01)
