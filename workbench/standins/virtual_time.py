"""Hours of a stream in milliseconds: an event loop that never waits."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["StuckError", "run_virtually"]

_Result = TypeVar("_Result")


class StuckError(Exception):
    """Every task waits for something that nobody will ever do."""


class _Selector(selectors.SelectSelector):
    """Instead of waiting for a file, it moves the clock to where the loop would wake up."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError
        self.now += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run_virtually(main: Coroutine[Any, Any, _Result]) -> _Result:
    """What it returns, on a clock that starts at 0. Raises `StuckError` if it never would."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)
