"""docs/bench.md: the latest figures, and how they have moved from run to run."""

from collections.abc import Iterator, Sequence

from workbench.bench.figures import Figure
from workbench.bench.pages import markdown_table
from workbench.bench.together.history import Run, last_on
from workbench.bench.together.running import Outcome
from workbench.bench.together.table import HEADS, rows, shown

__all__ = ["page"]

RUNS_SHOWN = 8
_INTRODUCTION = """# All benchmarks in one table

Written by `make bench`; do not edit. It runs the short variant of every benchmark, one after the
other; the pages of the benchmarks themselves have the long ones. Stock is a worker of LiveKit's
guide with the stock plugins, measured in the same run. The floor is what no worker can do without:
a bare socket, or a job that only subscribes and publishes. Every run is a line of
`workbench/bench/together/history.jsonl`. Ratios can be compared between machines, other figures
only on the same one.
"""


def page(runs: Sequence[Run]) -> str:
    """The page's text; `runs` are all there were, at least one, the oldest first."""
    lines = [_INTRODUCTION, "## The latest figures", ""]
    for name, index in _latest(runs).items():
        run, found = runs[index], runs[index].found[name]
        outcome = Outcome(name, found.seconds, found.figures, found.fault)
        last = last_on(run.machine, runs[:index], name)
        lines += [f"### {name}", "", f"{_made(run)} It took {found.seconds:.0f} s.", ""]
        lines += [*markdown_table(HEADS, rows(outcome, last)), ""]
    lines += ["## How they move", "", *_movement(runs[-RUNS_SHOWN:])]
    return "\n".join(lines).rstrip() + "\n"


def _latest(runs: Sequence[Run]) -> dict[str, int]:
    """The index of the latest run of each benchmark: a run may be of some of them alone."""
    return {name: index for index, run in enumerate(runs) for name in run.found}


def _made(run: Run) -> str:
    return (
        f"{run.at:%Y-%m-%d %H:%M} UTC, commit {run.revision}, {run.machine}; "
        f"the load average was {run.load:.1f} when it began."
    )


def _movement(runs: Sequence[Run]) -> Iterator[str]:
    """A table: a row for each benchmark's latest figures, a column for each run."""
    yield "As a share of stock's, where there is one, and else ours."
    yield ""
    heads = ("", *(f"{run.at:%m-%d %H:%M} {run.revision}" for run in runs))
    table = []
    for name, index in _latest(runs).items():
        by_run = [{each.name: each for each in run.figures(name)} for run in runs]
        for figure in runs[index].figures(name):
            cells = (_cell(figures.get(figure.name)) for figures in by_run)
            table.append((f"{name}: {figure.name}", *cells))
    yield from markdown_table(heads, table)
    yield ""
    yield "Machines: " + "; ".join(dict.fromkeys(str(run.machine) for run in runs)) + "."


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    if figure.of_stock is not None:
        return f"{figure.of_stock:.2f}"
    return f"{shown(figure.ours)} {figure.unit}".strip()
