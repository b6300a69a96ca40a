"""Tells the worker how late the event loop of a process with calls runs, once a second.

One timer measures a process, however many calls it has. A process that waits for a call measures
nothing, and costs nothing.
"""

import os
from collections.abc import Awaitable, Callable

from livekit.agents import JobContext

from agent.call.reports import Report, late
from agent.loop_lag import Lag, LoopTimer

WATCH = "loop_watch"
"""The name of a process's watch in its `userdata`."""


class LoopWatch:
    """Of one process."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._calls = 0
        self._timer: LoopTimer | None = None

    def begin(self) -> None:
        """A call begins on the running loop."""
        self._calls += 1
        if self._timer is None:
            self._timer = LoopTimer(self._tell)

    async def end(self) -> None:
        """A call has ended."""
        self._calls -= 1
        if self._timer and not self._calls:
            self._timer.stop()
            self._timer = None

    def _tell(self, lag: Lag) -> None:
        self._report(late(os.getpid(), self._calls, lag))


async def watched(entrypoint: Callable[[JobContext], Awaitable[None]], job: JobContext) -> None:
    """Run a job, and until it has ended measure its process, if that has a watch."""
    if watch := job.proc.userdata.get(WATCH):
        watch.begin()
        job.add_shutdown_callback(watch.end)
    await entrypoint(job)
