"""When a worker takes no more calls because its CPU is busy, or its calls run late."""

import os
import time

import pytest

from agent.call.reports import late
from agent.loop_lag import Lag
from agent.worker.load_shedding import (
    LAG_ON_SECONDS,
    OFF_SECONDS,
    ON_SECONDS,
    SAMPLE_SECONDS,
    WELL_BELOW,
    LoadShedding,
    cores,
)

LIMIT = 0.9


def shedding() -> LoadShedding:
    load_shedding = LoadShedding(LIMIT)
    for _ in range(ON_SECONDS):
        load_shedding.add_sample(LIMIT + 0.05)
    return load_shedding


def test_calls_are_shed_after_seconds_above_the_limit() -> None:
    assert shedding().is_on


def test_shedding_begins_after_seconds_on_end_alone() -> None:
    load_shedding = LoadShedding(0.9)
    for used in [1.0] * (ON_SECONDS - 1) + [0.5] + [1.0] * (ON_SECONDS - 1):
        load_shedding.add_sample(used)
    assert not load_shedding.is_on


def test_shedding_goes_on_until_the_cpu_is_well_below_its_limit() -> None:
    load_shedding = shedding()
    for used in [LIMIT - WELL_BELOW + 0.1] * 60 + [0.5] * (OFF_SECONDS - 1):
        load_shedding.add_sample(used)
    assert load_shedding.is_on
    load_shedding.add_sample(0.5)
    assert not load_shedding.is_on


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process")
def test_cores_that_this_process_may_not_use_do_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() <= 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_a_limit_of_the_whole_cpu_is_none() -> None:
    load_shedding = LoadShedding(1)
    for _ in range(2 * ON_SECONDS):
        load_shedding.add_sample(1.0)
    assert not load_shedding.is_on
    assert load_shedding.cpu_used(0.0) == 0


def test_late_calls_are_noticed_in_two_seconds_and_one_late_second_is_none() -> None:
    load_shedding = LoadShedding(1, 0.06)
    for lag in (0.5, 0.0, 0.07):
        load_shedding.add_lag(lag)
        assert not load_shedding.is_on
    load_shedding.add_lag(0.07)
    assert load_shedding.is_on


def test_a_busy_cpu_is_enough_in_two_seconds_once_calls_begin_to_run_late() -> None:
    load_shedding = LoadShedding(LIMIT, 0.06)
    for used, lag in [(1.0, 0.02)] * (ON_SECONDS - 4) + [(0.5, 0.05)] * 4 + [(1.0, 0.05)]:
        load_shedding.add_sample(used)
        load_shedding.add_lag(lag)
        assert not load_shedding.is_on
    load_shedding.add_sample(1.0)
    load_shedding.add_lag(0.05)
    assert load_shedding.is_on
    for _ in range(OFF_SECONDS):  # whatever keeps the CPU busy makes way for calls again
        load_shedding.add_sample(1.0)
        load_shedding.add_lag(0.01)
    assert not load_shedding.is_on


def test_shedding_goes_on_until_calls_are_well_in_time() -> None:
    load_shedding = LoadShedding(1, 0.06)
    for lag in [0.07] * LAG_ON_SECONDS + [0.05] * 60 + [0.02] * (OFF_SECONDS - 1):
        load_shedding.add_lag(lag)
    assert load_shedding.is_on
    load_shedding.add_lag(0.02)
    assert not load_shedding.is_on


def test_a_busy_cpu_goes_on_shedding_when_calls_are_in_time_again() -> None:
    load_shedding = LoadShedding(LIMIT, 0.06)
    for _ in range(ON_SECONDS):
        load_shedding.add_sample(1.0)
        load_shedding.add_lag(0.1)
    for _ in range(OFF_SECONDS):
        load_shedding.add_lag(0.0)
    assert load_shedding.is_on
    for _ in range(OFF_SECONDS):
        load_shedding.add_sample(0.1)
    assert not load_shedding.is_on


def test_a_busy_cpu_leaves_half_to_calls_that_begin_while_the_others_run_in_time() -> None:
    load_shedding = LoadShedding(LIMIT, 0.06)
    load_shedding.add_sample(1.0)
    assert load_shedding.cpu_used(0.0) == 0.5
    load_shedding.lags.note(late(1, 2, Lag(0.03, 0.1)), 0.0)
    assert load_shedding.cpu_used(0.0) == 0.75
    load_shedding.lags.note(late(1, 2, Lag(0.5, 1.0)), 0.0)
    assert load_shedding.cpu_used(0.0) == 1.0
    load_shedding.add_sample(0.2)
    assert load_shedding.cpu_used(0.0) == 0.2


async def test_it_goes_by_what_the_machine_and_the_calls_are_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = [0.5] * LAG_ON_SECONDS

    class Monitor:
        """A machine whose CPU is half used for some looks; none of them takes time."""

        def cpu_percent(self, interval: float) -> float:
            assert interval == SAMPLE_SECONDS
            if not looks:
                raise InterruptedError
            return looks.pop()

    monkeypatch.setattr("agent.worker.load_shedding.get_cpu_monitor", Monitor)
    load_shedding = LoadShedding(LIMIT, 0.06)
    load_shedding.lags.note(late(1, 2, Lag(0.2, 0.4)), time.monotonic())
    with pytest.raises(InterruptedError):
        await load_shedding.watch()
    assert load_shedding.cpu_used(time.monotonic()) == 0.5
    assert load_shedding.is_on
