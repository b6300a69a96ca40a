"""Load shedding: a worker takes no more calls while those that it has run late.

Two figures tell. When the event loops of calls run late, callers hear it at once, so two seconds
are enough. When every core is busy, that may be because calls begin, which takes a few seconds, or
because of programs that make way; but when calls begin to run late as well, two seconds are enough.
"""

import asyncio
import logging
import math
import os
import time
from dataclasses import dataclass

from livekit.agents.utils.hw import get_cpu_monitor

from agent.worker.lags import Lags

log = logging.getLogger(__name__)

SAMPLE_SECONDS = 1.0


def cores() -> float:
    """The cores that the container's quota and the CPU affinity allow; may be below 1."""
    quota: float = get_cpu_monitor().cpu_count()
    return min(quota, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else quota


@dataclass(slots=True)
class Brake:
    """On after some samples in a row above a limit, off after some below another one."""

    above: float
    below: float
    on_samples: int
    off_samples: int
    is_on: bool = False
    _samples: int = 0

    def add(self, value: float) -> bool:
        """Take one sample. True if that has changed whether it is on."""
        is_changing = value < self.below if self.is_on else value > self.above
        self._samples = self._samples + 1 if is_changing else 0
        if self._samples < (self.off_samples if self.is_on else self.on_samples):
            return False
        self.is_on, self._samples = not self.is_on, 0
        return True


ON_SECONDS = 8
LAG_ON_SECONDS = 2
OFF_SECONDS = 3
WELL_BELOW = 0.15


class LoadShedding:
    """On or off, by the latest samples."""

    def __init__(self, cpu_limit: float, lag_limit: float = math.inf) -> None:
        """`cpu_limit` is a share of the CPU; 1 disables it. `lag_limit` is in seconds."""
        self.lags = Lags()
        self._cpu_used = 0.0
        self._cpu = Brake(cpu_limit, cpu_limit - WELL_BELOW, ON_SECONDS, OFF_SECONDS)
        self._lag = Brake(lag_limit, lag_limit / 2, LAG_ON_SECONDS, OFF_SECONDS)
        self._both = Brake(cpu_limit, cpu_limit - WELL_BELOW, LAG_ON_SECONDS, OFF_SECONDS)

    def cpu_used(self, now: float) -> float:
        """The share of the CPU that calls which begin have to leave to others, 0 to 1.

        While the calls in progress run in time, half of it is theirs, however busy it is: whatever
        keeps it busy makes way for them. 0 if the CPU is of no concern.
        """
        if self._cpu.above >= 1:
            return 0.0
        in_time = max(0.0, 1 - self.lags.typical(now) / self._lag.above)
        return min(self._cpu_used, 1 - in_time / 2)

    @property
    def is_on(self) -> bool:
        """Whether a worker with calls is to take no more."""
        return self._cpu.is_on or self._lag.is_on or self._both.is_on

    def add_sample(self, used: float) -> None:
        """Take one sample: the share of the CPU used in the last `SAMPLE_SECONDS`, 0 to 1."""
        self._cpu_used = used
        if self._cpu.add(used):
            if self._cpu.is_on:
                log.warning("the CPU is too busy: taking no more calls")
            else:
                log.warning("the CPU has room again: taking calls")

    def add_lag(self, seconds: float) -> None:
        """Take one sample, once in `SAMPLE_SECONDS`: how late the event loops of calls run."""
        if self._both.add(self._cpu_used if seconds > self._lag.below else 0.0):
            if self._both.is_on:
                log.warning(
                    "the CPU is too busy, and calls begin to run late: taking no more calls",
                    extra={"lag_ms": round(seconds * 1000)},
                )
            else:
                log.warning("calls run in time again, or the CPU has room: taking calls")
        if self._lag.add(seconds):
            if self._lag.is_on:
                log.warning(
                    "the event loops of calls run late: taking no more calls",
                    extra={"lag_ms": round(seconds * 1000)},
                )
            else:
                log.warning("the event loops of calls keep up again: taking calls")

    async def watch(self) -> None:
        """Measure until cancelled; in a container, against its quota."""
        monitor = get_cpu_monitor()
        while True:
            self.add_sample(await asyncio.to_thread(monitor.cpu_percent, SAMPLE_SECONDS))
            self.add_lag(self.lags.typical(time.monotonic()))
