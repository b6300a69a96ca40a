"""Load shedding: a worker whose CPU stays busy for seconds takes no more calls."""

import asyncio
import logging
import os

from livekit.agents.utils.hw import get_cpu_monitor

log = logging.getLogger(__name__)

SAMPLE_SECONDS = 1.0
# Seconds above the limit that switch it on, and seconds well below it that switch it off. A burst
# of calls keeps every core busy for a few seconds only.
ON_SECONDS = 8
OFF_SECONDS = 3
WELL_BELOW = 0.15


def cores() -> float:
    """The cores that the container's quota and the CPU affinity allow; may be below 1."""
    quota: float = get_cpu_monitor().cpu_count()
    return min(quota, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else quota


class LoadShedding:
    """On or off, by the latest CPU samples. `limit` is a share of the CPU; 1 disables it."""

    def __init__(self, limit: float) -> None:
        self.is_on = False
        self._limit = limit
        self._samples = 0

    def add_sample(self, used: float) -> None:
        """Take one sample: the share of the CPU used in the last `SAMPLE_SECONDS`, 0 to 1."""
        changing = used < self._limit - WELL_BELOW if self.is_on else used > self._limit
        self._samples = self._samples + 1 if changing else 0
        if self._samples * SAMPLE_SECONDS >= (OFF_SECONDS if self.is_on else ON_SECONDS):
            self.is_on, self._samples = not self.is_on, 0
            if self.is_on:
                log.warning("the CPU is too busy: taking no more calls")
            else:
                log.warning("the CPU has room again: taking calls")

    async def watch(self) -> None:
        """Measure until cancelled; in a container, against its quota."""
        monitor = get_cpu_monitor()
        while self._limit < 1:
            self.add_sample(await asyncio.to_thread(monitor.cpu_percent, SAMPLE_SECONDS))
