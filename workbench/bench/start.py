"""`make bench-start`: what a worker costs before its first call, ours and stock, in turns.

Each is started for eight calls at once under a LiveKit server of its own: the time and the CPU
until it is registered, the CPU until it rests, and then its memory, each shared page once (PSS).
Stock keeps a ready process for each core in its usual setting, and eight with `ready 8`.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console

from workbench.arguments import command, positive
from workbench.bench.figures import Figure, add_json_option, write
from workbench.bench.pages import terminal_table
from workbench.bench.programs import PROGRAMS
from workbench.local.standins_process import at_free_ports
from workbench.local.workers import Places, Worker, own_livekit

__all__ = ["NAMES", "Start", "figures", "middle", "rows"]

PLACES = 8
ROUNDS = 3
OURS, STOCK, STOCK_READY = "ours", "stock", "stock, ready 8"
_TOLD: Mapping[str, Mapping[str, str]] = {
    OURS: {"AGENT_MAX_CALLS": str(PLACES), "AGENT_HTTP_PORT": "0"},
    STOCK: {},
    STOCK_READY: {"READY_PROCESSES": str(PLACES)},
}

_CALM_SECONDS = 1.0
_CALM_CPU_SECONDS = 0.05
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Start:
    """One start. Its CPU is that of all processes, user and system."""

    registered_seconds: float
    registered_cpu_seconds: float
    settled_cpu_seconds: float
    idle_mb: float
    processes: float


NAMES = {
    "registered_seconds": ("start to registered", "s"),
    "registered_cpu_seconds": ("CPU until registered", "s"),
    "settled_cpu_seconds": ("CPU until it rests", "s"),
    "idle_mb": ("idle worker, places for 8 calls (PSS)", "MB"),
    "processes": ("its processes", ""),
}
"""What each field of `Start` is for people, and its unit."""


async def started(places: Places, contestant: str) -> Start:
    """Start a worker, wait until it rests, and end it."""
    program = PROGRAMS[contestant.partition(",")[0]]
    worker = Worker(places, contestant, _TOLD[contestant], "start", program=program)
    began = time.monotonic()
    async with worker.taking_calls():
        seconds = time.monotonic() - began
        (main,) = psutil.Process(worker.process.pid).children()
        cpu = _cpu_seconds(main)
        settled = await _settled(main)
        family = [main, *main.children(recursive=True)]
        memory = sum(each.memory_full_info().pss for each in family) / _MB
        return Start(seconds, cpu, settled, memory, len(family))


async def _settled(main: psutil.Process) -> float:
    """The CPU seconds of a worker that needs next to none any more."""
    last = _cpu_seconds(main)
    while True:
        await asyncio.sleep(_CALM_SECONDS)
        now = _cpu_seconds(main)
        if now - last < _CALM_CPU_SECONDS:
            return now
        last = now


def _cpu_seconds(main: psutil.Process) -> float:
    """Of it and its descendants, with those that have ended."""
    return sum(sum(each.cpu_times()[:4]) for each in [main, *main.children(recursive=True)])


@asynccontextmanager
async def _places() -> AsyncIterator[Places]:
    """No call comes, so no provider is asked."""
    with tempfile.TemporaryDirectory() as folder:
        nobody, _ = at_free_ports()
        async with own_livekit(Path(folder)) as server:
            yield Places(server.access, nobody, Path(folder))


async def measured(rounds: int, contestants: Sequence[str]) -> dict[str, list[Start]]:
    """Each contestant once in each round; a first start, which reads the files, does not count."""
    found: dict[str, list[Start]] = {each: [] for each in contestants}
    async with _places() as places:
        await started(places, OURS)
        for _ in range(rounds):
            for each in contestants:
                found[each].append(await started(places, each))
    return found


def middle(starts: Sequence[Start]) -> Start:
    """The median of each figure."""
    return Start(*(median(getattr(each, field.name) for each in starts) for field in fields(Start)))


def rows(found: Mapping[str, Sequence[Start]]) -> list[tuple[str, ...]]:
    """A line for each figure: each contestant's median, and ours as a share of stock's."""
    middles = {name: middle(starts) for name, starts in found.items()}
    lines = []
    for field, (name, unit) in NAMES.items():
        values = {each: getattr(start, field) for each, start in middles.items()}
        share = values[OURS] / values[STOCK]
        lines.append((name, unit, *(f"{each:.4g}" for each in values.values()), f"{share:.2f}"))
    return lines


def figures(found: Mapping[str, Sequence[Start]]) -> list[Figure]:
    """For `make bench`."""
    ours, stock = middle(found[OURS]), middle(found[STOCK])
    return [
        Figure(name=name, unit=unit, ours=getattr(ours, field), stock=getattr(stock, field))
        for field, (name, unit) in NAMES.items()
    ]


def main() -> None:
    """Measure, and print."""
    parser = command("make bench-start", __doc__)
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="the medians count")
    parser.add_argument("--quick", action="store_true", help="one round, without `ready 8`")
    add_json_option(parser)
    options = parser.parse_args()
    contestants = [OURS, STOCK] if options.quick else [OURS, STOCK, STOCK_READY]
    found = asyncio.run(measured(1 if options.quick else options.rounds, contestants))
    load = os.getloadavg()[0]
    title = f"A worker's start; Python {sys.version.partition(' ')[0]}, load {load:.1f}"
    heads = ("median", "unit", *contestants, "of stock")
    Console(width=110).print(terminal_table(title, heads, rows(found)))
    write(options.json, figures(found))


if __name__ == "__main__":
    main()
