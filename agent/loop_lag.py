"""How late an event loop runs what is due: measured by a timer, several times a second.

The mean over moments that are evenly spread is what a frame of sound, a word or a timer has to wait
on average. A loop that stands still for 300 ms once a second makes things wait for 45 ms on
average, and for 300 ms at worst.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

TICK_SECONDS = 0.25
TICKS = 4
WINDOW_SECONDS = TICKS * TICK_SECONDS


@dataclass(frozen=True, slots=True)
class Lag:
    """One window, in seconds."""

    mean: float
    worst: float


class Lateness:
    """Gathers how late moments were, which lie `TICK_SECONDS` apart. Times are in seconds."""

    def __init__(self, now: float) -> None:
        self.due = now + TICK_SECONDS
        self._late: list[float] = []

    def tick(self, now: float) -> Lag | None:
        """The loop runs at `now`, for all moments that were due since. The lag of a window that is
        over, or None."""
        while self.due <= now:
            self._late.append(now - self.due)
            self.due += TICK_SECONDS
        if len(self._late) < TICKS:
            return None
        lag = Lag(sum(self._late) / len(self._late), max(self._late))
        self._late.clear()
        return lag


class LoopTimer:
    """Measures the running loop, from its making until `stop`."""

    def __init__(self, tell: Callable[[Lag], None]) -> None:
        """`tell` gets each window of `WINDOW_SECONDS`; after a longer standstill, a longer one."""
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._lateness = Lateness(self._loop.time())
        self._timer = self._loop.call_at(self._lateness.due, self._tick)

    def stop(self) -> None:
        """Measure no more."""
        self._timer.cancel()

    def _tick(self) -> None:
        lag = self._lateness.tick(self._loop.time())
        self._timer = self._loop.call_at(self._lateness.due, self._tick)
        if lag:
            self._tell(lag)
