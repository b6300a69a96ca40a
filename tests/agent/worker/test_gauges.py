"""The page of metrics shows how the worker is."""

import asyncio
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from agent.tasks import OwnedTask
from agent.worker.gauges import SECONDS, follow, show
from agent.worker.health import Health

WELL = Health(
    registered=True,
    draining=False,
    starts_processes=True,
    calls=2,
    places_free=6,
    shortage=None,
    providers_down=(),
)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"agent_{name}", labels)


def test_the_gauges_say_what_the_pages_for_probes_say() -> None:
    show(WELL)
    assert (value("ready"), value("places_free"), value("places_used")) == (1, 6, 2)
    assert value("obstacle", obstacle="llm_down") == 0
    show(replace(WELL, providers_down=("llm",), places_free=0, shortage="full"))
    assert (value("ready"), value("places_free")) == (0, 0)
    assert value("obstacle", obstacle="llm_down") == value("obstacle", obstacle="full") == 1
    assert value("obstacle", obstacle="draining") == 0
    show(WELL)
    assert value("obstacle", obstacle="llm_down") == 0


@pytest.mark.looptime
async def test_they_follow_the_worker_and_its_loop_twice_a_second() -> None:
    looks = [None, replace(WELL, calls=5)]
    before = value("event_loop_lag_seconds_count") or 0
    show(WELL)
    async with OwnedTask(follow(lambda: looks.pop(0)), name="gauges"):
        await asyncio.sleep(1.2 * SECONDS)
        assert value("places_used") == 2  # there is no worker yet
        await asyncio.sleep(SECONDS)
        assert value("places_used") == 5
    assert value("event_loop_lag_seconds_count") == before + 2
