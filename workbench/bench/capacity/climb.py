"""More and more calls for one worker, and what each step came to."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.bench.capacity import cost, lag
from workbench.bench.capacity.calls import read
from workbench.bench.capacity.contestants import Contestant
from workbench.bench.capacity.load_program import CALLER, Callers
from workbench.bench.capacity.step import NOTHING, Heard, Step, Used, heard
from workbench.local.processes import Process
from workbench.local.workers import Worker

__all__ = ["Climb", "Pace", "climb"]

_JOIN_EVERY_SECONDS = 0.5
_SETTLE_SECONDS = 4.0
_LONGEST_SETTLE_SECONDS = 25.0
_LOOK_SECONDS = 0.5
_LAST_REPLY_SECONDS = 4.0
_BUSY = 0.015
"""A process that uses more of a core holds a call; one that waits for a call uses 0.3 %."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is measured. The first step of a worker that answers takes longer: the replies of
    all others are held against its replies."""

    first_seconds: float = 60.0
    seconds: float = 25.0


@dataclass(frozen=True, slots=True)
class Climb:
    """A worker that takes calls, and all that runs beside it."""

    contestant: Contestant
    worker: Worker
    callers: Callers
    server: Process
    providers: Process
    pace: Pace

    @property
    def root(self) -> int:
        """The worker's first process."""
        return self.worker.process.pid

    async def lags(self) -> lag.Buckets:
        """How late event loops ran until now."""
        port = self.contestant.metrics_port
        return await lag.fetch(self.callers.http, port) if port else {}


async def climb(
    run: Climb, steps: Sequence[int], say: Callable[[str], None]
) -> AsyncIterator[Step]:
    """Each step as soon as it is measured; the caller stops when a step is too much."""
    await _settled(run.root)
    joined = 0
    for number, calls in enumerate(steps):
        say(f"{run.contestant.name}: {calls} calls")
        joining_at = time.time()
        while joined < calls:
            joined += 1
            await run.callers.join(f"call-{joined}", timed=not run.contestant.answers)
            await asyncio.sleep(_JOIN_EVERY_SECONDS)
        await _settled(run.root)
        is_measure = number == 0 and run.contestant.answers
        seconds = run.pace.first_seconds if is_measure else run.pace.seconds
        yield await _measure(run, calls, joining_at, seconds)


async def _settled(root: int) -> None:
    """Until nothing has been started for a while: processes that wait for the next calls cost as
    they start, and that is no part of a call."""
    until = time.monotonic() + _LONGEST_SETTLE_SECONDS
    await asyncio.sleep(_SETTLE_SECONDS)
    while cost.youngest_seconds(root) < _SETTLE_SECONDS and time.monotonic() < until:  # noqa: ASYNC110  nothing tells
        await asyncio.sleep(_LOOK_SECONDS)


async def _measure(run: Climb, calls: int, joining_at: float, seconds: float) -> Step:
    lags, began, before = await run.lags(), time.time(), _usages(run)
    each_before = cost.cpu_seconds(run.root)
    await asyncio.sleep(seconds)
    ended, after = time.time(), _usages(run)
    with_calls = cost.busy(run.root, each_before, _BUSY * seconds)
    memory = cost.memory_mb(with_calls), cost.memory_mb(cost.tree(run.root))
    late = lag.quantile(lags, await run.lags(), 0.95)
    found = await _heard(run, joining_at, began, ended)
    return Step(calls, found, _used(before, after, memory), late)


async def _heard(run: Climb, joining_at: float, began: float, ended: float) -> Heard:
    if not run.contestant.answers:
        return NOTHING
    await asyncio.sleep(_LAST_REPLY_SECONDS)
    calls = read(run.callers.load.events(), CALLER)
    return heard(calls.values(), joining_at, began, ended)


def _usages(run: Climb) -> Mapping[str, cost.Usage]:
    return {
        "worker": cost.usage(run.root),
        "server": cost.usage(run.server.pid),
        "callers": cost.usage(run.callers.load.process.pid),
        "providers": cost.usage(run.providers.pid),
        "machine": cost.machine(),
    }


def _used(
    before: Mapping[str, cost.Usage], after: Mapping[str, cost.Usage], memory: tuple[float, float]
) -> Used:
    shares = {name: after[name].share_since(before[name]) for name in after}
    machine = shares.pop("machine")
    return Used(
        worker_cpu=shares["worker"],
        calls_mb=memory[0],
        worker_mb=memory[1],
        waited=after["worker"].waited_since(before["worker"]),
        server_cpu=shares["server"],
        callers_cpu=shares["callers"],
        providers_cpu=shares["providers"],
        elsewhere_cpu=max(0.0, machine - sum(shares.values())),
    )
