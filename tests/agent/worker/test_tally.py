"""Job processes count on the worker's page of metrics."""

import asyncio
import multiprocessing
from functools import partial

import pytest
from prometheus_client import CollectorRegistry, Counter

from agent.worker.tally import Tally


def new_tally() -> tuple[Tally, CollectorRegistry]:
    registry = CollectorRegistry()
    return Tally(Counter("overlaps", "", ["kind", "outcome"], registry=registry)), registry


def counted(registry: CollectorRegistry, kind: str, outcome: str) -> float | None:
    return registry.get_sample_value("overlaps_total", {"kind": kind, "outcome": outcome})


@pytest.mark.slow
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
async def test_another_process_counts_on_this_ones_page(method: str) -> None:
    tally, registry = new_tally()
    # LiveKit hands its set-up function to job processes in this way.
    process = multiprocessing.get_context(method).Process(  # type: ignore[attr-defined]
        target=partial(tally.sender, "echo"), args=(True,)
    )
    process.start()
    await asyncio.to_thread(process.join)
    with tally.listening():
        await asyncio.sleep(0)  # the loop looks once at what can be read
        await asyncio.sleep(0)
    assert process.exitcode == 0
    assert (counted(registry, "echo", "true"), counted(registry, "echo", "false")) == (1.0, None)


async def test_no_call_waits_for_a_worker_that_does_not_read() -> None:
    tally, registry = new_tally()
    for _ in range(100_000):
        tally.sender("hold", True)
    with tally.listening():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    kept = counted(registry, "hold", "true")
    assert kept is not None
    assert 1000 < kept < 100_000


def test_no_call_minds_a_worker_that_is_gone() -> None:
    tally, _ = new_tally()
    sender = tally.sender
    del tally
    sender("hold", False)
