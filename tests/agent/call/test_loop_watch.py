"""A process with calls tells how late its event loop runs."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from agent.call.loop_watch import WATCH, LoopWatch, watched
from agent.loop_lag import WINDOW_SECONDS

pytestmark = pytest.mark.looptime


class Job:
    """A job in a process with these things, until it ends."""

    def __init__(self, **userdata: Any) -> None:
        self.proc = SimpleNamespace(userdata=userdata)
        self._at_end: list[Callable[[], Awaitable[None]]] = []
        self.is_entered = False

    def add_shutdown_callback(self, callback: Callable[[], Awaitable[None]]) -> None:
        self._at_end.append(callback)

    async def end(self) -> None:
        for each in self._at_end:
            await each()


async def enter(job: Any) -> None:
    job.is_entered = True


async def begun(**userdata: Any) -> Job:
    job: Any = Job(**userdata)
    await watched(enter, job)
    assert job.is_entered
    return job  # type: ignore[no-any-return]


async def test_one_timer_tells_for_all_calls_of_a_process() -> None:
    told: list[Mapping[str, Any]] = []
    watch = LoopWatch(told.append)
    first = await begun(**{WATCH: watch})
    await begun(**{WATCH: watch})
    await asyncio.sleep(1.1 * WINDOW_SECONDS)
    expected = {"kind": "late", "process": os.getpid(), "mean": 0.0, "worst": 0.0}
    assert told == [{**expected, "calls": 2}]
    await first.end()
    await asyncio.sleep(WINDOW_SECONDS)
    assert told[1:] == [{**expected, "calls": 1}]


async def test_a_process_without_a_call_tells_nothing() -> None:
    told: list[Mapping[str, Any]] = []
    watch = LoopWatch(told.append)
    await (await begun(**{WATCH: watch})).end()
    await asyncio.sleep(3 * WINDOW_SECONDS)
    assert told == []
    await begun(**{WATCH: watch})
    await asyncio.sleep(1.1 * WINDOW_SECONDS)
    assert len(told) == 1


async def test_a_console_has_no_watch() -> None:
    await (await begun()).end()
