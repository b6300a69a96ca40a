"""Processes full of simulated calls, and what they cost the machine."""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from statistics import median

import psutil

from agent.capacity.judgement import Step
from agent.capacity.talk import Told, hold_calls
from config.settings import Settings

PRELOADED = ("agent.worker.preloaded", "agent.capacity.talk")
START_SECONDS = 20.0
"""Calls that have not begun by then are measured all the same."""
SETTLE_SECONDS = 2.0
MEASURE_SECONDS = 6.5
_STOP_SECONDS = 10.0


@dataclass(eq=False)
class _Process:
    process: BaseProcess
    pipe: Connection
    calls: int
    told: list[Told] = field(default_factory=list)
    have_begun: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self) -> None:
        """Take what it has told since."""
        try:
            while self.pipe.poll():
                self.told.append(self.pipe.recv())
                self.have_begun.set()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self.pipe.fileno())


class Load:
    """Adds calls to a machine, and measures them."""

    def __init__(self, settings: Settings, calls_per_process: int) -> None:
        """`settings` name the providers of the calls."""
        self._settings = settings
        self._each = calls_per_process
        self._processes: list[_Process] = []
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*PRELOADED])

    @property
    def calls(self) -> int:
        """How many there are."""
        return sum(each.calls for each in self._processes)

    async def change_to(self, calls: int) -> None:
        """Begin as many calls as are missing, or end those that are too many. Returns when all
        have begun, or after `START_SECONDS`."""
        while self._processes and self.calls - self._processes[-1].calls >= calls:
            self._end([self._processes.pop()])
        while (missing := calls - self.calls) > 0:
            count = min(missing, self._each)
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=hold_calls, args=(self._settings, count, theirs), daemon=True
            )
            process.start()
            theirs.close()
            added = _Process(process, ours, count)
            asyncio.get_running_loop().add_reader(ours.fileno(), added.read)
            self._processes.append(added)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                for each in self._processes:
                    await each.have_begun.wait()

    async def measure(self) -> Step:
        """Let the calls settle, and measure them. Raises RuntimeError if one of them has died."""
        await asyncio.sleep(SETTLE_SECONDS)
        for each in self._processes:
            each.told.clear()
        used, began = self._cpu_seconds(), time.monotonic()
        psutil.cpu_percent()
        await asyncio.sleep(MEASURE_SECONDS)
        machine = psutil.cpu_percent() / 100
        cores = (self._cpu_seconds() - used) / (time.monotonic() - began)
        return _step(self.calls, self._processes, cores, machine)

    def memory_bytes(self) -> float:
        """What one call holds, with its part of what is shared; NaN where the system is silent."""
        held = [_own_bytes(each.process.pid) for each in self._processes]
        return sum(held) / self.calls if held else float("nan")

    async def stop(self) -> None:
        """End all calls."""
        self._end(self._processes)
        until = time.monotonic() + _STOP_SECONDS
        for each in self._processes:
            await asyncio.to_thread(each.process.join, max(0.1, until - time.monotonic()))
            if each.process.is_alive():
                each.process.kill()
        self._processes.clear()

    @staticmethod
    def _end(processes: Sequence[_Process]) -> None:
        """They end by themselves when their pipe is closed."""
        for each in processes:
            asyncio.get_running_loop().remove_reader(each.pipe.fileno())
            each.pipe.close()

    def _cpu_seconds(self) -> float:
        total = 0.0
        for each in self._processes:
            try:
                times = psutil.Process(each.process.pid).cpu_times()
            except psutil.Error:
                raise RuntimeError("a process with calls has died") from None
            total += times.user + times.system
        return total


def _step(calls: int, processes: Sequence[_Process], cores: float, machine: float) -> Step:
    lags = [told.lag for each in processes for told in each.told for _ in range(each.calls)]
    replies = sorted(wait for each in processes for told in each.told for wait in told.replies)
    if not lags or not replies:
        raise RuntimeError("no call was answered")
    return Step(
        calls,
        lag=median(lag.mean for lag in lags),
        worst_lag=max(lag.worst for lag in lags),
        reply=median(replies),
        slow_reply=replies[min(len(replies) - 1, int(0.95 * len(replies)))],
        cores=cores,
        machine=machine,
    )


def _own_bytes(pid: int | None) -> float:
    try:
        held = psutil.Process(pid).memory_full_info()
        return float(getattr(held, "pss", held.uss))
    except (psutil.Error, AttributeError):
        return float("nan")
