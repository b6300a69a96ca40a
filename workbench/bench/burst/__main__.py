"""`python -m workbench.bench.burst`: six callers within five seconds, ours beside stock.

All are on this machine: LiveKit's server, providers that follow a script, and the callers, each in
a process of its own, whose CPU is told apart. Before the burst a single caller is served, and the
replies of the burst are told as a multiple of that caller's.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workbench.arguments import command, one_of, positive
from workbench.bench.burst.figures import Pair, figures
from workbench.bench.burst.lines import LINES
from workbench.bench.burst.measurement import PROGRAMS, Burst, Found, measure, middle, quantile
from workbench.bench.figures import add_json_option, write
from workbench.local.workers import own_livekit

_QUICK_TURNS = 3


def shown(name: str, found: Found, alone: Found) -> list[str]:
    """The lines that tell of a burst."""
    lines = [f"{name}: {len(found.calls)} callers"]
    for number, call in enumerate(found.calls, 1):
        replies = sorted(
            each.reply_seconds for each in call.lines if each.reply_seconds is not None
        )
        greeted = "told to wait" if call.told_to_wait else "not greeted"
        if call.greeted_seconds is not None:
            greeted = f"greeted after {call.greeted_seconds:.2f} s"
        lines.append(
            f"  caller {number}: {greeted}; {len(replies)} of {len(call.lines)} answered, replies"
            f" {middle(replies):.2f} s, slowest {quantile(replies, 1):.2f} s; "
            f"{sum(each.words_lost for each in call.lines)} words lost, "
            f"{sum(each.cuts for each in call.lines)} turns cut"
        )
    one = middle(alone.replies)
    times = middle(found.replies) / one
    lines.append(
        f"  replies: median {middle(found.replies):.2f} s, "
        f"p95 {quantile(found.replies, 0.95):.2f} s; {times:.2f} times one caller's {one:.2f} s"
    )
    total = sum(found.cpu.values())
    used = ", ".join(
        f"{party} {each / found.seconds:.2f} ({each / total:.0%})"
        for party, each in found.cpu.items()
    )
    lines.append(f"  cores used over {found.seconds:.0f} s: {used}")
    if found.lag_buckets:
        seconds = ", ".join(f"<= {le} s: {count:.0f}" for le, count in found.lag_buckets.items())
        lines.append(f"  seconds of calls by the worst lag of their loop: {seconds}")
    lines.append(f"  the callers' own worst lag: {found.callers_late:.2f} s")
    lines += [f"  logged {count} times: {text}" for text, count in found.warnings.most_common(6)]
    return lines


async def run(
    names: Sequence[str], burst: Burst, settings: dict[str, str], logs: Path
) -> dict[str, Pair]:
    """Print and return what was found of each worker."""
    pairs = {}
    async with own_livekit(logs) as server:
        for name in names:
            alone, found = await measure(
                name, server, logs, (Burst(1, 0.0, burst.turns), burst), settings
            )
            print(*shown(name, alone, alone), *shown(name, found, alone), sep="\n", flush=True)
            pairs[name] = Pair(alone, found)
    return pairs


def main() -> int:
    """The exit status."""
    parser = command("workbench.bench.burst", __doc__)
    parser.add_argument(
        "workers",
        nargs="*",
        type=one_of(tuple(PROGRAMS)),
        metavar="WORKER",
        help=f"{', '.join(PROGRAMS)}; none: all",
    )
    parser.add_argument("--callers", type=positive, default=6, help="how many come")
    parser.add_argument("--within", type=float, default=5.0, help="seconds in which they come")
    parser.add_argument("--turns", type=positive, default=len(LINES), help="lines of each caller")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the worker"
    )
    parser.add_argument("--logs", type=Path, default=None, help="folder; none: a temporary one")
    parser.add_argument("--quick", action="store_true", help="three lines of each caller")
    add_json_option(parser)
    options = parser.parse_args()
    logs = options.logs or Path(tempfile.mkdtemp(prefix="burst-"))
    settings = dict(each.split("=", 1) for each in options.set)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; logs in {logs}", flush=True)
    turns = _QUICK_TURNS if options.quick else options.turns
    burst = Burst(options.callers, options.within, turns)
    pairs = asyncio.run(run(options.workers or list(PROGRAMS), burst, settings, logs))
    write(options.json, figures(pairs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
