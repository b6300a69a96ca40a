"""`make bench-stt`: processor time and memory of our speech module and the stock one.

Both hear the same talk in real time, at the same time, each in a process of its own with many
streams; so do what no client can do without, a bare socket that sends the same chunks and decodes
the same messages, and LiveKit's resampler. The stand-in and the feeding of frames do not count.
Two minutes; each figure is the median of its rounds, with their range.
"""

import argparse
import asyncio
import pstats
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from workbench.arguments import command, positive
from workbench.bench.compare.clients import OURS, STOCK
from workbench.bench.figures import Figure, add_json_option, write
from workbench.bench.pages import made_with, terminal_table
from workbench.bench.stt.contestant import NEEDED_RATE, RESAMPLER, SOCKET, Load
from workbench.bench.stt.parts import dearest_functions, parts
from workbench.bench.stt.side_by_side import (
    Found,
    Rounds,
    contestant,
    end,
    measure,
    scripted_stand_in,
)

_RATES = (NEEDED_RATE, 48_000)
_QUICK = Rounds(3, 4)
_ROWS_SHOWN = 40


def _least(found: Found) -> list[float]:
    """The floor in each round: the socket, and the resampler where there is one."""
    costs = [found.costs_ms[name] for name in (SOCKET, RESAMPLER) if name in found.costs_ms]
    return [sum(each) for each in zip(*costs, strict=True)]


def _rows(rate: int, found: Found) -> Iterator[list[str]]:
    """Medians, and in brackets the range of the rounds; ratios are made round by round."""
    ours, stock, least = found.costs_ms[OURS.name], found.costs_ms[STOCK.name], _least(found)
    ratios = (_ratio(ours, stock), _ratio(ours, least))
    yield [f"ms for a second of audio at {rate} Hz", *map(_spread, (ours, stock, least)), *ratios]
    if RESAMPLER in found.costs_ms:
        yield [f"   of which {RESAMPLER}", *[_spread(found.costs_ms[RESAMPLER])] * 3, "", ""]


def _spread(costs: Sequence[float]) -> str:
    return f"{median(costs):.2f} ({min(costs):.2f} to {max(costs):.2f})"


def _ratio(ones: Sequence[float], others: Sequence[float]) -> str:
    return _spread([one / other for one, other in zip(ones, others, strict=True)])


def _table(by_rate: Mapping[int, Found], streams: int) -> Table:
    rows = [row for rate, found in by_rate.items() for row in _rows(rate, found)]
    held = [by_rate[NEEDED_RATE].held_kb[name] for name in (OURS.name, STOCK.name, SOCKET)]
    rows.append(["kB held by a stream", *(f"{each:.0f}" for each in held), "", ""])
    heads = ("", OURS.name, STOCK.name, "floor", "of stock", "of floor")
    return terminal_table(f"{streams} streams each. {made_with()}", heads, rows)


def figures(by_rate: Mapping[int, Found]) -> Iterator[Figure]:
    """For `make bench`: medians."""
    for rate, found in by_rate.items():
        yield Figure(
            name=f"CPU for a second of audio at {rate // 1000} kHz",
            unit="ms",
            ours=median(found.costs_ms[OURS.name]),
            stock=median(found.costs_ms[STOCK.name]),
            floor=median(_least(found)),
        )
    held = by_rate[NEEDED_RATE].held_kb
    yield Figure(name="held by a stream", unit="kB", ours=held[OURS.name], stock=held[STOCK.name])


async def _profile(streams: int, rate: int, rounds: Rounds) -> pstats.Stats:
    """Of ours alone, from the first connection to the last word."""
    load = Load(streams, rate, rounds.longest_seconds)
    with TemporaryDirectory() as directory:
        file = Path(directory) / "profile"
        async with (
            scripted_stand_in(load, streams) as stood_in,
            contestant(OURS.name, load, stood_in, profile=file) as process,
        ):
            await process.wait_for_line(lambda line: "pid" in line, timeout_seconds=60)
            await asyncio.sleep(rounds.count * rounds.seconds)
            await end(process)
        return pstats.Stats(str(file))


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


def _options() -> argparse.Namespace:
    parser = command("workbench.bench.stt", __doc__)
    parser.add_argument("--streams", type=positive, default=20, help="of each, at once")
    parser.add_argument("--seconds", type=positive, default=6, help="of each round")
    parser.add_argument("--rounds", type=positive, default=6, help="of everybody")
    parser.add_argument("--profile", action="store_true", help="only where our own time goes")
    parser.add_argument("--quick", action="store_true", help="three short rounds")
    add_json_option(parser)
    return parser.parse_args()


def main() -> int:
    """The exit status."""
    options = _options()
    rounds = _QUICK if options.quick else Rounds(options.rounds, options.seconds)
    console = Console()
    if options.profile:
        stats = {rate: asyncio.run(_profile(options.streams, rate, rounds)) for rate in _RATES}
        console.print(_parts_table(stats))
        audio_seconds = options.streams * rounds.count * rounds.seconds
        console.print(_function_table(stats[NEEDED_RATE], audio_seconds))
        return 0
    by_rate = {rate: asyncio.run(measure(options.streams, rate, rounds)) for rate in _RATES}
    console.print(_table(by_rate, options.streams))
    write(options.json, figures(by_rate))
    return 0


if __name__ == "__main__":
    sys.exit(main())
