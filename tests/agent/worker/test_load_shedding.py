"""When a worker takes no more calls because its CPU is busy."""

import os

import pytest

from agent.worker.load_shedding import OFF_SECONDS, ON_SECONDS, WELL_BELOW, LoadShedding, cores

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


async def test_a_limit_of_the_whole_cpu_needs_no_watching() -> None:
    load_shedding = LoadShedding(1)
    await load_shedding.watch()
    assert not load_shedding.is_on
