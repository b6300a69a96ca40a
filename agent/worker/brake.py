"""The brake: a machine that is busy for seconds on end gets no more calls."""

import asyncio
import logging
import os

from livekit.agents.utils.hw import get_cpu_monitor

log = logging.getLogger(__name__)

SAMPLE_SECONDS = 1.0
# So long above the limit puts the brake on, and so long well below it takes it off: a burst of
# calls keeps every core busy for some seconds, and is over.
ON_SECONDS = 8
OFF_SECONDS = 3
WELL_BELOW = 0.15


def cores() -> float:
    """What a container's quota and the allowed CPUs leave of the machine; may be below 1."""
    quota: float = get_cpu_monitor().cpu_count()
    return min(quota, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else quota


class Brake:
    """Is on or off, by what was measured last. `limit` is a share of the CPU, 1 for never."""

    def __init__(self, limit: float) -> None:
        self.is_on = False
        self._limit = limit
        self._samples = 0

    def take(self, used: float) -> None:
        """The share of the CPU that was used in the last `SAMPLE_SECONDS`: 0 to 1."""
        changing = used < self._limit - WELL_BELOW if self.is_on else used > self._limit
        self._samples = self._samples + 1 if changing else 0
        if self._samples * SAMPLE_SECONDS >= (OFF_SECONDS if self.is_on else ON_SECONDS):
            self.is_on, self._samples = not self.is_on, 0
            if self.is_on:
                log.warning("the CPU is busy: no more calls until it is less")
            else:
                log.warning("the CPU has room again: calls are taken")

    async def watch(self) -> None:
        """Measure until cancelled; within a container, what it uses of its quota."""
        monitor = get_cpu_monitor()
        while self._limit < 1:
            self.take(await asyncio.to_thread(monitor.cpu_percent, SAMPLE_SECONDS))
