"""The judgements as tables: in the terminal and in the page."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from workbench.bench.turns.judgement import Judgement

__all__ = ["HEADS", "rows", "table"]

HEADS = ("", "cut-offs", "merged", "stuck", "wait, median", "wait, 95th percentile")


def rows(judged: Mapping[str, Judgement]) -> list[tuple[str, ...]]:
    """One for each setting."""
    return [
        (
            name,
            str(each.cut_offs),
            str(each.merged),
            str(each.stuck),
            _ms(each.median_ms),
            _ms(each.p95_ms),
        )
        for name, each in judged.items()
    ]


def table(title: str, lines: Sequence[tuple[str, ...]], heads: Sequence[str] = HEADS) -> Table:
    """For the terminal."""
    drawn = Table(title=title, title_justify="left")
    for head in heads:
        drawn.add_column(head, justify="right" if head else "left")
    for line in lines:
        drawn.add_row(*line)
    return drawn


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"
