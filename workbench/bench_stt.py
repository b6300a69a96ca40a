"""`python -m workbench.bench_stt`: processor time and memory of our speech module and the stock.

Both hear the same frames in real time, in one process, in turns; the stand-in is a process of its
own, so that its time does not count. The feeder's own time is measured, too, and taken off.
"""

import argparse
import asyncio
import cProfile
import pstats
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import aiohttp
from rich.console import Console
from rich.table import Table

from workbench.compare.clients import CLIENTS, OURS, Client, versions
from workbench.compare.load import Bench, Load, scripted_stand_in

_PROJECT = Path(__file__).parents[1]
_RATES = (16_000, 48_000)
_ROWS_SHOWN = 20
_FEEDER = "feeder"


async def _measure(load: Load, rounds: int) -> dict[str, list[float]]:
    """Everybody's costs in every round, in turns, once all have warmed up."""
    costs: dict[str, list[float]] = {name: [] for name in (*(c.name for c in CLIENTS), _FEEDER)}
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        bench = Bench(stand_ins, http)
        for client in CLIENTS:
            await bench.hear(client, Load(2, 5, load.input_rate))
        for _ in range(rounds):
            for client in CLIENTS:
                costs[client.name].append((await bench.hear(client, load)).second_ms)
            costs[_FEEDER].append((await bench.hear(None, load)).second_ms)
    return costs


async def _hold(client: Client, load: Load) -> float:
    """kB that a stream holds, in a process that has run nothing else."""
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        bench = Bench(stand_ins, http)
        await bench.hear(client, Load(1, 5, load.input_rate))
        return (await bench.hear(client, load)).held_kb


async def _hold_apart(client: Client, load: Load) -> float:
    """The same, in a new process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "workbench.bench_stt", "--hold", client.name),
        *("--streams", str(load.streams), "--seconds", f"{load.seconds:g}"),
        cwd=_PROJECT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return float(output)


def _profile(load: Load) -> pstats.Stats:
    """Where our time goes. The profiler makes short calls look dearer than they are."""

    async def run() -> None:
        async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
            bench = Bench(stand_ins, http)
            await bench.hear(OURS, Load(2, 5, load.input_rate))
            profiler.enable()
            await bench.hear(OURS, load)
            profiler.disable()

    profiler = cProfile.Profile(time.process_time)  # waiting does not count
    asyncio.run(run())
    return pstats.Stats(profiler)


def _module(file: str, function: str) -> str:
    """What a profiled function belongs to: our modules one by one, others by package."""
    if file == "~":
        return "the socket" if "socket" in function else "built in"
    path = Path(file)
    if "site-packages" in path.parts:
        rest = path.parts[path.parts.index("site-packages") + 1 :]
        return "/".join(rest[: 2 if rest[0] == "livekit" else 1])
    if path.is_relative_to(_PROJECT):
        return path.relative_to(_PROJECT).with_suffix("").as_posix()
    return path.stem if path.parent.name.startswith("python") else path.parent.name


def _cost_tables(stats: pstats.Stats, audio_seconds: float) -> tuple[Table, Table]:
    """Own time by module, and the functions that take most of it, in ms for a second of audio."""
    functions: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    functions = stats.stats  # type: ignore[attr-defined] # typeshed leaves it out
    modules: dict[str, float] = defaultdict(float)
    for (file, _, name), (_, _, own, _, _) in functions.items():
        modules[_module(file, name)] += own * 1000 / audio_seconds
    by_module = Table("module", "own ms", title="Ours, profiled: a second of audio, by module")
    for module, spent in sorted(modules.items(), key=lambda item: -item[1])[:_ROWS_SHOWN]:
        by_module.add_row(module, f"{spent:.3f}")
    by_function = Table("function", "calls", "own ms", "with callees", title="By function")
    dearest = sorted(functions.items(), key=lambda item: -item[1][3])
    for (file, _, name), (_, calls, own, cumulative, _) in dearest[: 2 * _ROWS_SHOWN]:
        figures = (own * 1000 / audio_seconds, cumulative * 1000 / audio_seconds)
        by_function.add_row(
            f"{_module(file, name)} {name}",
            f"{calls / audio_seconds:.1f}",
            *(f"{figure:.3f}" for figure in figures),
        )
    return by_module, by_function


def _cost_row(rate: int, costs: dict[str, list[float]]) -> list[str]:
    """Medians, and in brackets the range of the rounds; less what the feeder takes."""
    feeder = median(costs[_FEEDER])
    each = [[cost - feeder for cost in costs[client.name]] for client in CLIENTS]
    cells = [f"{median(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in each]
    ratio = median(ours / stock for ours, stock in zip(*each, strict=True))
    return [f"ms for a second of audio at {rate} Hz", *cells, f"{ratio:.2f}"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workbench.bench_stt")
    parser.add_argument("--streams", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=9.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="only where our own time goes")
    parser.add_argument("--hold", choices=[c.name for c in CLIENTS], help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """The exit status."""
    options = _options()
    load = Load(options.streams, options.seconds, _RATES[0])
    if options.hold:
        client = next(client for client in CLIENTS if client.name == options.hold)
        print(asyncio.run(_hold(client, load)))
        return 0
    console = Console()
    if not options.profile:
        head = ("", *(client.name for client in CLIENTS), "ratio")
        table = Table(*head, title=f"{load.streams} streams. {versions()}")
        for rate in _RATES:
            costs = asyncio.run(_measure(Load(load.streams, load.seconds, rate), options.rounds))
            table.add_row(*_cost_row(rate, costs))
        held = [asyncio.run(_hold_apart(client, load)) for client in CLIENTS]
        cells = [f"{kilobytes:.0f}" for kilobytes in held]
        table.add_row("kB held by a stream", *cells, f"{held[0] / held[1]:.2f}")
        console.print(table)
    by_module, by_function = _cost_tables(_profile(load), load.streams * load.seconds)
    console.print(by_module, by_function)
    return 0


if __name__ == "__main__":
    sys.exit(main())
