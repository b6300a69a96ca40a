"""`make capacity`: how many talking calls a machine carries, ours and stock; docs/capacity.md."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from workbench.arguments import command, positive
from workbench.bench.capacity import page
from workbench.bench.capacity.arena import Load, standing
from workbench.bench.capacity.climb import Pace, climb
from workbench.bench.capacity.contestants import FLOOR, STOCK, Contestant, ours
from workbench.bench.capacity.load_program import build
from workbench.bench.capacity.report import HEADS, rows
from workbench.bench.capacity.script import write as write_script
from workbench.bench.capacity.step import Step
from workbench.bench.figures import add_json_option, write
from workbench.bench.latency.providers import Delays
from workbench.bench.pages import made_with, terminal_table
from workbench.local.running import CACHE, PROJECT

_STEPS = (1, 2, 4, 6, 8, 12, 16, 24)
_FLOOR_STEPS = (1, 4, 8)
_QUICK_STEPS = {"stock": (1, 4), "floor": (4,)}
_QUICK_USUAL = (1, 4, 8)
_QUICK = Pace(first_seconds=20.0, seconds=15.0)


def main() -> int:
    """The exit status: 1 where our worker does not carry a single call."""
    options = _options()
    console, held, load_before = Console(), dict[str, list[Step]](), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="capacity-") as folder:
        load = Load(asyncio.run(build(CACHE, print)), Path(folder) / "script.json")
        write_script(load.script, Delays())
        for contestant in _contestants(options):
            logs = (options.logs or Path(folder)) / contestant.name.replace(", ", "-")
            held[contestant.name] = asyncio.run(_held(contestant, options, load, logs))
            table = terminal_table(contestant.name, HEADS, rows(held[contestant.name]))
            console.print(table)
    if not (options.quick or options.only or options.steps):
        day = time.strftime("%Y-%m-%d", time.gmtime())
        was = f"On {day}; the load average was {load_before:.1f} when the run began."
        page.write(PROJECT / "docs", held, f"{made_with()}. {was}")
    mine = next((steps for name, steps in held.items() if name.startswith("ours")), [])
    write(options.json, page.figures(mine, held.get(STOCK.name, []), held.get(FLOOR.name, [])))
    return int(bool(mine) and page.carried(mine) is None)


def _contestants(options: argparse.Namespace) -> list[Contestant]:
    found = {"ours": options.ours or [ours("")], "stock": [STOCK], "floor": [FLOOR]}
    return [each for name in options.only or found for each in found[name]]


def _steps(options: argparse.Namespace, contestant: Contestant) -> Sequence[int]:
    if options.steps:
        steps: Sequence[int] = options.steps
        return steps
    if options.quick:
        return _QUICK_STEPS.get(contestant.name, _QUICK_USUAL)
    return _STEPS if contestant.answers else _FLOOR_STEPS


async def _held(
    contestant: Contestant, options: argparse.Namespace, load: Load, logs: Path
) -> list[Step]:
    """All steps up to the first that is too much, which is one of them."""
    steps, pace = _steps(options, contestant), _QUICK if options.quick else Pace()
    found: list[Step] = []
    async with standing(contestant, max(steps), pace, load, logs) as run:
        async for step in climb(run, steps, lambda line: print(line, file=sys.stderr)):
            found.append(step)
            if contestant.answers and not options.on and not step.holds(found[0]):
                break
    return found


def _counts(text: str) -> list[int]:
    return [positive(each) for each in text.split(",")]


def _options() -> argparse.Namespace:
    parser = command("workbench.bench.capacity", __doc__)
    add = parser.add_argument
    choice = "our worker with these settings, as in calls_per_process=8,max_calls=30; repeatable"
    add("--quick", action="store_true", help="1, 4 and 8 calls, four minutes, no page")
    add("--ours", action="append", type=ours, metavar="SETTINGS", help=choice)
    add("--only", action="append", choices=("ours", "stock", "floor"), help="repeatable")
    add("--steps", type=_counts, help="as in 1,4,8")
    add("--on", action="store_true", help="go on when a step was too much")
    add("--logs", type=Path, help="keep the logs here")
    add_json_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
