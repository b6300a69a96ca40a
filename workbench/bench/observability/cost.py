"""What a call costs the machine and makes its caller wait, measured from outside."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

import psutil

from workbench.bench.pages import markdown_table

__all__ = ["Cost", "Watch", "rows", "watching"]

SAMPLE_SECONDS = 0.2
MEMORY_EVERY = 5
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """One call. CPU is in seconds of one core for a second of the call."""

    call_cpu: float
    """Of the call's own process."""
    main_cpu: float
    """Of the worker's main process meanwhile."""
    peak_mb: float
    """The most that the call's process held (PSS)."""
    waits_ms: tuple[float, ...]
    """From the end of each question to the first sound of its answer."""


@dataclass
class Watch:
    """What a call's process has used so far."""

    first: float = 0.0
    last: float = 0.0
    seconds: float = 0.0
    peak_mb: float = 0.0
    _began: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    async def follow(self, process: psutil.Process) -> None:
        """Sample the process until it has ended."""
        self.first = _cpu(process)
        with contextlib.suppress(psutil.Error):
            for number in itertools.count():
                if process.status() == psutil.STATUS_ZOMBIE:
                    return
                self.last = _cpu(process)
                self.seconds = asyncio.get_running_loop().time() - self._began
                if number % MEMORY_EVERY == 0:  # it takes the kernel milliseconds
                    self.peak_mb = max(self.peak_mb, process.memory_full_info().pss / _MB)
                await asyncio.sleep(SAMPLE_SECONDS)

    @property
    def share(self) -> float:
        """CPU seconds for a second of the call."""
        return (self.last - self.first) / self.seconds if self.seconds else 0.0


@asynccontextmanager
async def watching(process: psutil.Process) -> AsyncIterator[Watch]:
    """Watch a call's process; when the context is left, it has ended."""
    watch = Watch()
    following = asyncio.create_task(watch.follow(process))
    yield watch
    await following


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def rows(off: Sequence[Cost], on: Sequence[Cost]) -> list[str]:
    """Lines of a table: medians, their ratio, and how far single calls are from them."""
    kinds: tuple[tuple[str, Callable[[Cost], list[float]]], ...] = (
        ("CPU of a call's process, % of a core", lambda each: [100 * each.call_cpu]),
        ("CPU of the main process, % of a core", lambda each: [100 * each.main_cpu]),
        ("memory of a call's process at its most, MB (PSS)", lambda each: [each.peak_mb]),
        ("wait from the end of a question to the answer, ms", lambda each: list(each.waits_ms)),
    )
    table = []
    for name, read in kinds:
        without, with_all = ([x for each in costs for x in read(each)] for costs in (off, on))
        before, after = median(without), median(with_all)
        table.append(
            (
                name,
                f"{before:.1f} ± {_spread(without):.1f}",
                f"{after:.1f} ± {_spread(with_all):.1f}",
                f"{after / before:.2f}" if before else "",
            )
        )
    heads = ("median ± median deviation of single calls", "all off", "all on", "on / off")
    return markdown_table(heads, table)


def _spread(values: Sequence[float]) -> float:
    """The median distance from the median."""
    middle = median(values)
    return median(abs(value - middle) for value in values)
