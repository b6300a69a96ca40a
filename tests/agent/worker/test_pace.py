"""Calls begin one after the other when many come at once."""

import pytest

from agent.worker.pace import LONGEST_WAIT_SECONDS, START_CORE_SECONDS, Pace


def waits(calls: int, *, cores: float = 2.0, cpu_used: float = 0.0) -> list[float]:
    """How long each of so many calls waits that come at the same moment."""
    pace, found = Pace(cores), []
    for _ in range(calls):
        found.append(pace.wait_seconds(cpu_used, 0.0))
        pace.begin()
    return found


def test_each_core_starts_one_call_and_one_more_waits_for_the_network() -> None:
    assert waits(3) == [0.0, 0.0, 0.0]
    assert waits(2, cores=1.0) == [0.0, 0.0]


def test_those_that_follow_wait_for_what_is_started_before_them() -> None:
    assert waits(6)[3:] == pytest.approx([START_CORE_SECONDS / 2 * each for each in (1, 2, 3)])


def test_a_burst_of_six_on_two_idle_cores_is_served_whole() -> None:
    assert waits(6)[-1] < LONGEST_WAIT_SECONDS


def test_on_a_busy_machine_calls_begin_more_slowly() -> None:
    assert waits(4, cpu_used=0.8)[3] == pytest.approx(START_CORE_SECONDS / 0.4)
    assert waits(5, cpu_used=0.8)[4] > LONGEST_WAIT_SECONDS


def test_a_machine_that_is_full_starts_a_call_now_and_then() -> None:
    assert waits(1, cpu_used=1.0) == [0.0]
    assert waits(4, cpu_used=1.0)[3] == pytest.approx(START_CORE_SECONDS / 0.2)


def test_what_has_been_started_makes_room() -> None:
    pace = Pace(2.0)
    for _ in range(6):
        pace.begin()
    wait = pace.wait_seconds(0.0, 0.0)
    assert pace.wait_seconds(0.0, 0.25) == pytest.approx(wait - 0.25)
    assert pace.wait_seconds(0.0, 0.2) == pytest.approx(wait - 0.25)  # clocks do not go back
    assert pace.wait_seconds(0.0, 60.0) == 0.0
