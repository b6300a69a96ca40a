"""All contestants at once, each in a process of its own, counted at the same instants.

So whatever else the machine does is done to all of them alike, and each round gives a ratio of its
own: a spread of ratios that is narrow says that the figure can be trusted.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from workbench.bench.stt.contestant import FEEDER, NAMES, NEEDED_RATE, RESAMPLER, Load, script
from workbench.local.processes import Command, Process
from workbench.local.running import PROJECT
from workbench.local.standins_process import StandIns, stand_ins

__all__ = ["Found", "Rounds", "contestant", "end", "measure", "scripted_stand_in"]

OPENING_SECONDS = 3.0
"""Until all streams are open, and have caught up with the audio meanwhile."""
_STARTING_SECONDS = 60.0
_CLOSING_SECONDS = 15.0


def _is_ready(line: str) -> bool:
    return line.startswith('{"pid"')


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often is measured, and for how long each time."""

    count: int
    seconds: float

    @property
    def longest_seconds(self) -> float:
        """How long the streams may have to be fed."""
        return _STARTING_SECONDS + OPENING_SECONDS + self.count * self.seconds


@dataclass(frozen=True, slots=True)
class Found:
    """By contestant, ms of CPU for a second of audio in each round, without the feeder's; and the
    kB that a stream held at the end."""

    costs_ms: Mapping[str, Sequence[float]]
    held_kb: Mapping[str, float]


@asynccontextmanager
async def scripted_stand_in(load: Load, sessions: int) -> AsyncIterator[StandIns]:
    """The stand-in in a process of its own: so many sessions hear the load's talk."""
    with TemporaryDirectory() as directory:
        running = stand_ins(Path(directory) / "log", options=("--mode", "scripted"))
        async with running as (stood_in, _), aiohttp.ClientSession() as http:
            where, talk = f"{stood_in.control_url}/assemblyai/scripts", [script(load)]
            for _ in range(sessions):  # one at a time: it takes a megabyte at once
                async with http.post(where, json=talk) as done:
                    done.raise_for_status()
            yield stood_in


async def measure(streams: int, input_rate: int, rounds: Rounds) -> Found:
    """Everybody at once. Raises ProcessDiedError, WaitedTooLongError."""
    load = Load(streams, input_rate, rounds.longest_seconds)
    names = [name for name in NAMES if name != RESAMPLER or input_rate != NEEDED_RATE]
    async with (
        scripted_stand_in(load, sessions=streams * len(names)) as stood_in,
        AsyncExitStack() as stack,
    ):
        processes = {
            name: await stack.enter_async_context(contestant(name, load, stood_in))
            for name in names
        }
        pids = {name: await _feeding(each) for name, each in processes.items()}
        await asyncio.sleep(OPENING_SECONDS)
        costs = await _costs(pids, streams, rounds)
        ends = await asyncio.gather(*(end(each) for each in processes.values()))
    held = dict(zip(names, ends, strict=True))
    feeder = costs.pop(FEEDER)
    less = {
        name: [cost - base for cost, base in zip(each, feeder, strict=True)]
        for name, each in costs.items()
    }
    return Found(less, {name: held[name] for name in less})


def contestant(
    name: str, load: Load, stood_in: StandIns, *, profile: Path | None = None
) -> Process:
    """One of them, to be entered: it feeds its streams until it is ended."""
    argv = [sys.executable, "-m", "workbench.bench.stt.contestant", name]
    argv += ["--streams", str(load.streams), "--rate", str(load.input_rate)]
    argv += ["--seconds", f"{load.longest_seconds:.0f}", "--stand-ins", stood_in.model_dump_json()]
    argv += ["--profile", str(profile)] if profile else []
    log = PROJECT / "artifacts" / "bench" / f"stt-{name.replace(' ', '-')}.log"
    return Process(Command(name, argv, log, cwd=PROJECT, grace_seconds=_CLOSING_SECONDS))


async def _feeding(process: Process) -> int:
    """Its process id, as soon as it feeds."""
    line = await process.wait_for_line(_is_ready, timeout_seconds=_STARTING_SECONDS)
    return int(json.loads(line)["pid"])


async def end(process: Process) -> float:
    """End it in good order: what a stream held, in kB. Raises RuntimeError if it failed."""
    await process.stop()
    last = process.tail(1)
    if not last.startswith('{"held_kb"'):
        raise RuntimeError(process.obituary())
    return float(json.loads(last)["held_kb"])


async def _costs(pids: Mapping[str, int], streams: int, rounds: Rounds) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {name: [] for name in pids}
    at, before = time.monotonic(), _cpu_seconds(pids)
    for _ in range(rounds.count):
        await asyncio.sleep(rounds.seconds)
        now, after = time.monotonic(), _cpu_seconds(pids)
        for name, cost in costs.items():
            cost.append((after[name] - before[name]) * 1000 / (now - at) / streams)
        at, before = now, after
    return costs


def _cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """User and system time of each process, in steps far below a microsecond. A process has a clock
    of its own for it, whose number is made from its id: clock_getcpuclockid(3)."""
    return {name: time.clock_gettime((~pid << 3) | 2) for name, pid in pids.items()}
