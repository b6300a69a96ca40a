"""The comparison as a table in the terminal and as a page. Every cell comes from a measurement."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, repeat
from pathlib import Path

from rich.table import Table

from workbench.bench.compare.losses import Loss
from workbench.bench.compare.observation import Observation
from workbench.bench.compare.scenario import Scenario
from workbench.bench.pages import made_with, markdown_table, terminal_table, write_section

__all__ = ["LOSSES", "PROVIDERS", "WIRE", "Row", "loss_rows", "rows", "terminal", "write_rows"]

WIRE = "When something goes wrong"
LOSSES = "Words lost over minutes"
PROVIDERS = "When the model or the voice misbehaves"
_HEADS = ("", "what happens", "figure")

_INTRODUCTION = """# Compared with the stock plugin

Written by `make compare`; do not edit. Both clients get the same arguments, speak to the same
stand-in through real sockets, and hear the same caller in real time, in one run. Errors read
as an application is shown them. Numbers in front are those of `docs/protocol.md`, section 15.
Times differ a little from run to run.

{made_with}.
"""
_NOTES = {
    PROVIDERS: "Each is a call through a real LiveKit server with a worker process of its own;"
    " OpenAI is a stand-in for both, and its voice a short tone. Stock is the worker of LiveKit's"
    " guide. A caller hears the greeting, types a question while the fault is there, and types"
    " another one after it. Neither has a fallback model.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one scenario, for ours and stock."""

    number: str
    title: str
    figure: str
    cells: tuple[str, ...]


def rows(scenario: Scenario, observations: Sequence[Observation]) -> list[Row]:
    """A scenario's rows, in the order of its figures."""
    return [
        Row(
            scenario.number,
            scenario.title,
            figure.name,
            tuple(figure.read(seen) for seen in observations),
        )
        for figure in scenario.figures
    ]


def loss_rows(title: str, losses: Sequence[Loss]) -> list[Row]:
    """What was lost in one trouble."""
    figures: Mapping[str, tuple[str, ...]] = {
        "words lost": tuple(f"{loss.lost} of {loss.said}" for loss in losses),
        "words doubled": tuple(str(loss.doubled) for loss in losses),
        "streams that died": tuple(f"{loss.died} of {loss.streams}" for loss in losses),
        "starts / ends of speech": tuple(f"{loss.starts} / {loss.ends}" for loss in losses),
        "final after the last word (median)": tuple(
            "never" if loss.last_final_seconds is None else f"{loss.last_final_seconds:.1f} s"
            for loss in losses
        ),
    }
    return [Row("", title, name, cells) for name, cells in figures.items()]


def terminal(title: str, all_rows: Iterable[Row], names: Sequence[str]) -> Table:
    """For the terminal: a section for each scenario."""
    heads = (*_HEADS, *names)
    return terminal_table(title, heads, *_scenarios(all_rows), names=len(heads))


def write_rows(page: Path, heading: str, all_rows: Iterable[Row], names: Sequence[str]) -> None:
    """Put them below this heading of docs/comparison.md."""
    introduction = _INTRODUCTION.format(made_with=made_with())
    note = [_NOTES[heading], ""] if heading in _NOTES else []
    lines = chain.from_iterable(_scenarios(all_rows))
    heads = (*_HEADS, *names)
    written = markdown_table(heads, lines, names=len(heads))
    write_section(page, heading, [*note, *written], introduction=introduction)


def _scenarios(all_rows: Iterable[Row]) -> Iterator[list[tuple[str, ...]]]:
    """The lines of each scenario, which only the first of them names."""
    for (number, title), group in groupby(all_rows, key=lambda row: (row.number, row.title)):
        heads = chain([(number, title)], repeat(("", "")))
        yield [(*head, row.figure, *row.cells) for head, row in zip(heads, group, strict=False)]
