"""An event loop that stands still is noticed from a thread, with the context that it stands in."""

import asyncio
import contextvars
import time

import pytest

from agent.worker.hosts import standstill
from agent.worker.hosts.standstill import Standstill, StandstillWatch

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(standstill, "STANDSTILL_SECONDS", 0.1)


async def watched(blocks_seconds: float) -> tuple[list[float], list[Standstill]]:
    """The reports during and after a block of the loop by Emma's call, in seconds."""
    late: list[float] = []
    over: list[Standstill] = []
    watch = StandstillWatch(late.append, over.append)

    async def block() -> None:
        WHO.set("Emma")
        time.sleep(blocks_seconds)  # noqa: ASYNC251 - as a faulty tool does

    await asyncio.sleep(0.1)
    await asyncio.create_task(block())
    await asyncio.sleep(0.1)
    watch.stop()
    return late, over


async def test_a_standstill_is_told_while_it_lasts_and_whose_it_was_afterwards() -> None:
    late, over = await watched(0.6)
    assert late == sorted(late)
    assert late[-1] > 0.1
    (found,) = over
    assert found.context
    assert found.context[WHO] == "Emma"
    assert found.seconds >= late[-1]


async def test_a_loop_that_runs_is_not_told() -> None:
    assert await watched(0.0) == ([], [])
