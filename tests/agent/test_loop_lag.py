"""How late an event loop runs what is due."""

import asyncio

import pytest

from agent.loop_lag import TICK_SECONDS, WINDOW_SECONDS, Lag, Lateness, LoopTimer


def windows(*ran_at: float) -> list[Lag]:
    """What is told of a loop that ran at these times, from 0 on."""
    lateness = Lateness(0.0)
    return [lag for each in ran_at if (lag := lateness.tick(each))]


def test_a_loop_in_time_has_no_lag() -> None:
    assert windows(0.25, 0.5, 0.75, 1.0, 1.25) == [Lag(0.0, 0.0)]


def test_each_moment_of_a_standstill_counts_with_its_own_wait() -> None:
    # From 0.25 to 0.875 nothing runs: what was due at 0.5 and 0.75 waits for 0.375 and 0.125.
    assert windows(0.25, 0.875, 1.0) == [Lag(0.125, 0.375)]


def test_a_standstill_beyond_a_window_is_told_of_as_a_whole() -> None:
    assert windows(0.25, 3.0) == [Lag(mean=13.75 / 12, worst=2.5)]


def test_a_window_begins_without_what_came_before_it() -> None:
    assert windows(1.0, 1.25, 1.5, 1.75, 2.0) == [Lag(0.375, 0.75), Lag(0.0, 0.0)]


@pytest.mark.looptime
async def test_a_timer_tells_once_in_a_window_until_it_is_stopped() -> None:
    told: list[Lag] = []
    timer = LoopTimer(told.append)
    await asyncio.sleep(3 * WINDOW_SECONDS + TICK_SECONDS / 2)
    assert len(told) == 3
    timer.stop()
    await asyncio.sleep(2 * WINDOW_SECONDS)
    assert len(told) == 3
