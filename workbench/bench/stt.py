"""`python -m workbench.bench.stt`: processor time and memory of our speech module and the stock.

Both hear the same frames in real time, in one process, in turns; the stand-in is a process of its
own, so that its time does not count. Both send chunks of 50 ms, uncompressed, and are told the
same. The feeder's own time is measured, too, and taken off. So is what no client can do without:
a bare socket with the same bytes and messages, and LiveKit's resampler.
"""

import argparse
import asyncio
import cProfile
import pstats
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from statistics import median

import aiohttp
from rich.console import Console
from rich.table import Table

from workbench.arguments import command, positive
from workbench.bench.compare.clients import CLIENTS, OURS, Client
from workbench.bench.compare.floor import BareResampler, Listener
from workbench.bench.compare.load import Bench, Load, scripted_stand_in
from workbench.bench.compare.parts import dearest_functions, parts
from workbench.bench.figures import Figure, add_json_option, write
from workbench.bench.pages import made_with, terminal_table
from workbench.local.running import PROJECT

_RATES = (16_000, 48_000)
_ROWS_SHOWN = 40
_WARM = Load(2, 5, _RATES[0])
_QUICK = Load(20, 4, _RATES[0])
_FEEDER, _SOCKET, _RESAMPLER = "feeder", "a bare socket", "LiveKit's resampler"

Costs = dict[str, list[float]]
"""Everybody's processor time in each round: ms for a second of audio."""


@asynccontextmanager
async def _open_bench() -> AsyncIterator[Bench]:
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        yield Bench(stand_ins, http)


async def _measure(load: Load, rounds: int) -> Costs:
    """In every round everybody in turns, once all have warmed up."""
    async with _open_bench() as bench:
        makers: dict[str, Callable[[], Listener] | None]
        makers = {client.name: partial(bench.stream, client) for client in CLIENTS}
        makers |= {_SOCKET: bench.bare_socket, _FEEDER: None}
        if load.input_rate != _RATES[0]:
            makers[_RESAMPLER] = partial(BareResampler, load.input_rate)
        for make in makers.values():
            await bench.hear(make, replace(_WARM, input_rate=load.input_rate))
        costs: Costs = {name: [] for name in makers}
        for _ in range(rounds):
            for name, make in makers.items():
                costs[name].append((await bench.hear(make, load)).second_ms)
    feeder = median(costs.pop(_FEEDER))
    return {name: [cost - feeder for cost in each] for name, each in costs.items()}


async def _hold(client: Client, load: Load) -> float:
    """kB that a stream holds, in a process that has run nothing else."""
    async with _open_bench() as bench:
        make = partial(bench.stream, client)
        await bench.hear(make, Load(1, 5, load.input_rate))
        return (await bench.hear(make, load)).held_kb


async def _hold_apart(client: Client, load: Load) -> float:
    """The same, in a new process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "workbench.bench.stt", "--hold", client.name),
        *("--streams", str(load.streams), "--seconds", f"{load.seconds:g}"),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return float(output)


def _profile(load: Load) -> pstats.Stats:
    async def run() -> None:
        async with _open_bench() as bench:
            make = partial(bench.stream, OURS)
            await bench.hear(make, Load(2, 5, load.input_rate))
            await bench.hear(make, load, profiler)

    profiler = cProfile.Profile(time.process_time)  # waiting does not count
    asyncio.run(run())
    return pstats.Stats(profiler)


def _cost_rows(load: Load, costs: Costs) -> Iterator[list[str]]:
    """Medians, and in brackets the range of the rounds."""
    ours, stock = (costs[client.name] for client in CLIENTS)
    ratio = median(one / other for one, other in zip(ours, stock, strict=True))
    title = f"ms for a second of audio at {load.input_rate} Hz"
    yield [title, _spread(ours), _spread(stock), f"{ratio:.2f}"]
    for name in (_SOCKET, _RESAMPLER):
        if name in costs:
            yield [f"   of which {name}", _spread(costs[name]), _spread(costs[name]), ""]


def _spread(costs: list[float]) -> str:
    return f"{median(costs):.2f} ({min(costs):.2f} to {max(costs):.2f})"


def _parts_table(stats: dict[int, pstats.Stats]) -> Table:
    shares = [parts(each) for each in stats.values()]
    rest = [1 - sum(share.values()) for share in shares]
    rows = {part: [share[part] for share in shares] for part in shares[0]}
    rows["event loop, timers, the feeder"] = rest
    return terminal_table(
        "Ours, profiled: where it goes",
        ("part", *(f"{rate} Hz" for rate in stats)),
        [(part, *(f"{share:.0%}" for share in each)) for part, each in rows.items()],
    )


def _function_table(stats: pstats.Stats, audio_seconds: float) -> Table:
    rows = []
    for name, calls, own, cumulative in dearest_functions(stats, _ROWS_SHOWN):
        spent = (f"{seconds * 1000 / audio_seconds:.3f}" for seconds in (own, cumulative))
        rows.append((name, f"{calls / audio_seconds:.1f}", *spent))
    heads = ("function", "calls", "own ms", "with callees")
    return terminal_table("For a second of audio", heads, rows)


def figures(by_rate: Mapping[int, Costs], held_kb: Sequence[float]) -> Iterator[Figure]:
    """For `make bench`: medians. `held_kb` is what a stream of ours and one of stock's hold."""
    for rate, costs in by_rate.items():
        ours, stock = (median(costs[client.name]) for client in CLIENTS)
        yield Figure(
            name=f"CPU for a second of audio at {rate // 1000} kHz",
            unit="ms",
            ours=ours,
            stock=stock,
            floor=sum(median(costs[name]) for name in (_SOCKET, _RESAMPLER) if name in costs),
        )
    yield Figure(name="held by a stream", unit="kB", ours=held_kb[0], stock=held_kb[1])


def _cost_table(loads: list[Load], by_rate: Mapping[int, Costs], held: Sequence[float]) -> Table:
    rows = [row for load in loads for row in _cost_rows(load, by_rate[load.input_rate])]
    cells = (f"{kilobytes:.0f}" for kilobytes in held)
    rows.append(["kB held by a stream", *cells, f"{held[0] / held[1]:.2f}"])
    heads = ("", *(client.name for client in CLIENTS), "ratio")
    return terminal_table(f"{loads[0].streams} streams. {made_with()}", heads, rows)


def _options() -> argparse.Namespace:
    parser = command("workbench.bench.stt", __doc__)
    parser.add_argument("--streams", type=positive, default=30, help="at once")
    parser.add_argument("--seconds", type=positive, default=8, help="of each round")
    parser.add_argument("--rounds", type=positive, default=3, help="of everybody")
    parser.add_argument("--profile", action="store_true", help="only where our own time goes")
    parser.add_argument("--quick", action="store_true", help="one short round, and no profile")
    add_json_option(parser)
    parser.add_argument("--hold", choices=[c.name for c in CLIENTS], help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """The exit status."""
    options = _options()
    load, rounds = Load(options.streams, options.seconds, _RATES[0]), options.rounds
    if options.quick:
        load, rounds = _QUICK, 1
    loads = [replace(load, input_rate=rate) for rate in _RATES]
    if options.hold:
        client = next(client for client in CLIENTS if client.name == options.hold)
        print(asyncio.run(_hold(client, loads[0])))
        return 0
    console = Console()
    if not options.profile:
        by_rate = {each.input_rate: asyncio.run(_measure(each, rounds)) for each in loads}
        held = [asyncio.run(_hold_apart(client, loads[0])) for client in CLIENTS]
        console.print(_cost_table(loads, by_rate, held))
        write(options.json, figures(by_rate, held))
    if options.quick:
        return 0
    stats = {load.input_rate: _profile(load) for load in loads}
    console.print(_parts_table(stats))
    if options.profile:
        audio_seconds = options.streams * options.seconds
        console.print(_function_table(stats[_RATES[0]], audio_seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
