"""Tasks that begin where no TaskGroup can be entered: in handlers of LiveKit's, which may not wait.

Each has an owner that cancels it and waits until it has ended. What it fails with is logged, unless
somebody awaits it. Wherever a block of code can own its tasks, use asyncio.TaskGroup.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

log = logging.getLogger(__name__)

ENDING_SECONDS = 5.0
"""A task that has been cancelled is left alone if it goes on for longer."""

T = TypeVar("T")


class Tasks:
    """Any number of tasks with one owner. A failure is logged at once, and the others go on."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Begin this. The caller may cancel the task it gets."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._on_end)
        return task

    def cancel(self) -> None:
        """Cancel all of them, from where nothing can be awaited; `aclose` waits for them."""
        for task in self._running:
            task.cancel()

    async def ended(self) -> None:
        """Return when all that have been started so far have ended by themselves."""
        if self._running:
            await asyncio.wait(self._running)

    async def aclose(self) -> None:
        """Cancel all of them, and return when they have ended, at the latest after
        `ENDING_SECONDS`."""
        self.cancel()
        await _ended(*self._running)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _on_end(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            _log(task, failure)


class OwnedTask(Generic[T]):
    """One task, which lasts no longer than the block `async with`, or than until `aclose`.

    Its failure is logged there, unless it was raised. `is_watched`: the owner looks at `task`, so
    nothing is logged.
    """

    def __init__(
        self,
        work: Coroutine[Any, Any, T],
        *,
        name: str,
        is_watched: bool = False,
        ending_seconds: float = ENDING_SECONDS,
    ) -> None:
        self.task = asyncio.create_task(work, name=name)
        self._is_noticed = is_watched
        self._ending_seconds = ending_seconds

    async def result(self) -> T:
        """Wait for its end. Raises what it raises."""
        self._is_noticed = True
        return await self.task

    async def aclose(self) -> None:
        """Cancel it, and return when it has ended, at the latest after `ending_seconds`."""
        await self._close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, raised: BaseException | None, __: TracebackType | None
    ) -> None:
        await self._close(raised)

    async def _close(self, raised: BaseException | None) -> None:
        task = self.task
        task.cancel()
        await _ended(task, within_seconds=self._ending_seconds)
        failure = task.exception() if task.done() and not task.cancelled() else None
        if failure and failure is not raised and not self._is_noticed:
            _log(task, failure)


async def first_of(*waits: Awaitable[object]) -> None:
    """Wait for the first of these to end and raise what it raises; cancel the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ended(*tasks: asyncio.Task[Any], within_seconds: float = ENDING_SECONDS) -> None:
    if not tasks:
        return
    _, left = await asyncio.wait(tasks, timeout=within_seconds)
    for task in left:
        log.warning("a task goes on though it was cancelled", extra={"task": task.get_name()})


def _log(task: asyncio.Task[Any], failure: BaseException) -> None:
    log.error("a task failed", extra={"task": task.get_name()}, exc_info=failure)
