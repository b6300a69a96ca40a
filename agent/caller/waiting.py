"""Waiting for something to become true, with a deadline and without polling."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class WaitedTooLongError(TimeoutError):
    """What was awaited did not happen before the deadline."""


class Changes:
    """Wakes those who wait for a condition each time that something changed."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Say that something changed: every waiter looks at its condition again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(
        self, condition: Callable[[], T | None], *, timeout_seconds: float, what: str
    ) -> T:
        """Return the condition's first answer that is neither None nor False.

        Raises WaitedTooLongError naming `what` when there is none in time.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    changed = self._changed
                    answer = condition()
                    if answer is not None and answer is not False:
                        return answer
                    await changed.wait()
        except TimeoutError:
            raise WaitedTooLongError(f"waited {timeout_seconds:g} s for {what}") from None
