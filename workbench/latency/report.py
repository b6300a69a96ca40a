"""The figures as tables: in the terminal and in the page. Every cell comes from a measurement."""

from collections.abc import Callable, Mapping, Sequence

from rich.table import Table

from workbench.latency.measurement import Summary

__all__ = ["Row", "markdown", "rows", "table"]

Row = tuple[str, ...]
"""A figure's name, and the figure for each contestant."""

_FIGURES: Mapping[str, Callable[[Summary, Summary], str]] = {
    "median": lambda mine, _: _ms(mine.median_ms),
    "of stock's": lambda mine, stock: _share(mine.median_ms, stock.median_ms),
    "95th percentile": lambda mine, _: _ms(mine.p95_ms),
    "of its median": lambda mine, _: _share(mine.p95_ms, mine.median_ms),
    "median, turns with a pause": lambda mine, _: _ms(mine.paused.median_ms),
    "of stock's with a pause": lambda mine, stock: _share(
        mine.paused.median_ms, stock.paused.median_ms
    ),
    "LLM requests a turn": lambda mine, _: f"{mine.requests_per_turn:.1f}",
    "tokens wasted": lambda mine, _: f"{mine.wasted_share:.0%}",
    "turns cut off": lambda mine, _: str(mine.cut_ins),
    "turns unanswered": lambda mine, _: str(mine.unanswered),
}


def rows(summaries: Mapping[str, Summary], stock: str) -> list[Row]:
    """All figures of all contestants; `stock` is the one that the others are compared to."""
    base = summaries[stock]
    return [
        (name, *(figure(summary, base) for summary in summaries.values()))
        for name, figure in _FIGURES.items()
    ]


def table(title: str, names: Sequence[str], lines: Sequence[Row]) -> Table:
    """For the terminal."""
    drawn = Table(title=title, title_justify="left")
    for head in ("", *names):
        drawn.add_column(head, justify="right" if head else "left")
    for line in lines:
        drawn.add_row(*line)
    return drawn


def markdown(names: Sequence[str], lines: Sequence[Row]) -> list[str]:
    """For the page."""
    return [
        f"| | {' | '.join(names)} |",
        "|---" + "|---:" * len(names) + "|",
        *(f"| {' | '.join(line)} |" for line in lines),
    ]


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"


def _share(value: float | None, base: float | None) -> str:
    return "" if value is None or base is None else f"{value / base:.2f}"
