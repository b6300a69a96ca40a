"""`make bench`: every benchmark in its short variant, one table; docs/bench.md has all runs.

A benchmark that fails is a row that says so, and the exit status is 1; the others run all the same.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console

from workbench.arguments import command, one_of, positive, writable
from workbench.bench.pages import terminal_table
from workbench.bench.together import history
from workbench.bench.together.benchmarks import BENCHMARKS, TOTAL_SECONDS, Benchmark
from workbench.bench.together.history import Found, Machine, Run
from workbench.bench.together.page import page
from workbench.bench.together.running import Outcome, run_all
from workbench.bench.together.table import HEADS, failed, rows
from workbench.local.running import PROJECT

_PAGE = PROJECT / "docs" / "bench.md"
_ARTIFACTS = PROJECT / "artifacts" / "bench"
_NAMES = tuple(each.module.rpartition(".")[2] for each in BENCHMARKS)


def main() -> int:
    """Run, print, and keep what was found; 1 where a benchmark failed."""
    options = _options()
    chosen = [
        each
        for each, name in zip(BENCHMARKS, _NAMES, strict=True)
        if not options.benchmarks or name in options.benchmarks
    ]
    load, runs = os.getloadavg()[0], history.read(options.history)
    outcomes = asyncio.run(_run(chosen, options.minutes * 60.0))
    run = Run(
        at=datetime.now(UTC).replace(microsecond=0),
        revision=history.revision(),
        machine=Machine.here(),
        load=round(load, 1),
        found={each.name: Found.of(each) for each in outcomes},
    )
    _show(Console(width=140), run, outcomes, runs)
    if not options.dry:
        history.add(run, options.history)
        _PAGE.write_text(page([*runs, run]), encoding="utf-8")
    if names := failed(outcomes):
        print(f"Failed: {', '.join(names)}. Their logs are in {_ARTIFACTS}.", file=sys.stderr)
    return int(bool(failed(outcomes)))


async def _run(chosen: Sequence[Benchmark], total_seconds: float) -> list[Outcome]:
    _ARTIFACTS.mkdir(parents=True, exist_ok=True)
    outcomes = []
    async for outcome in run_all(chosen, _ARTIFACTS, total_seconds=total_seconds):
        print(f"{outcome.name}: {outcome.seconds:.0f} s {outcome.fault}".rstrip(), flush=True)
        outcomes.append(outcome)
    return outcomes


def _show(console: Console, run: Run, outcomes: Sequence[Outcome], runs: Sequence[Run]) -> None:
    sections = []
    for outcome in outcomes:
        last = history.last_on(run.machine, runs, outcome.name)
        heading = (outcome.name.upper(), *[""] * (len(HEADS) - 1))
        sections.append([heading, *rows(outcome, last)])
    seconds = sum(each.seconds for each in outcomes)
    title = f"Commit {run.revision}, {run.machine}, load {run.load:.1f}, {seconds / 60:.0f} min"
    console.print(terminal_table(title, HEADS, *sections))


def _options() -> argparse.Namespace:
    parser = command("make bench", __doc__)
    add = parser.add_argument
    names = f"{', '.join(_NAMES)}; none: all"
    add("benchmarks", nargs="*", type=one_of(_NAMES), metavar="BENCHMARK", help=names)
    add("--minutes", type=positive, default=round(TOTAL_SECONDS / 60), help="for all together")
    add("--history", type=writable, default=history.FILE, help="the file of all runs")
    add("--dry", action="store_true", help="keep nothing, and write no page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
