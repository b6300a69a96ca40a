"""When a worker takes no more calls because its CPU is busy."""

import os

import pytest

from agent.worker.load_shedding import OFF_SECONDS, ON_SECONDS, WELL_BELOW, Brake, cores

LIMIT = 0.9


def braked() -> Brake:
    brake = Brake(LIMIT)
    for _ in range(ON_SECONDS):
        brake.take(LIMIT + 0.05)
    return brake


def test_the_brake_is_on_after_seconds_above_the_limit() -> None:
    assert braked().is_on


def test_the_brake_goes_on_after_seconds_on_end_alone() -> None:
    brake = Brake(0.9)
    for used in [1.0] * (ON_SECONDS - 1) + [0.5] + [1.0] * (ON_SECONDS - 1):
        brake.take(used)
    assert not brake.is_on


def test_the_brake_stays_on_until_the_cpu_is_well_below_its_limit() -> None:
    brake = braked()
    for used in [LIMIT - WELL_BELOW + 0.1] * 60 + [0.5] * (OFF_SECONDS - 1):
        brake.take(used)
    assert brake.is_on
    brake.take(0.5)
    assert not brake.is_on


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process")
def test_cores_that_this_process_may_not_use_do_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() <= 1
    finally:
        os.sched_setaffinity(0, allowed)


async def test_a_limit_of_the_whole_cpu_needs_no_watching() -> None:
    brake = Brake(1)
    await brake.watch()
    assert not brake.is_on
