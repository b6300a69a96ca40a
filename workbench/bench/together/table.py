"""One table of all benchmarks: ours, stock and the floor, with ratios."""

from collections.abc import Iterable, Iterator, Sequence

from workbench.bench.figures import Figure
from workbench.bench.together.running import Outcome

__all__ = ["HEADS", "changed", "rows", "shown"]

HEADS = ("", "ours", "stock", "floor", "of stock", "of floor", "last time")
SAME = 0.05
"""A figure that moved by less than this share counts as unmoved."""


def rows(outcome: Outcome, last: Sequence[Figure] = ()) -> Iterator[tuple[str, ...]]:
    """The rows of one benchmark; one that failed has a row that says why.

    `last` is what the same benchmark found on such a machine before.
    """
    before = {each.name: each for each in last}
    for figure in outcome.figures:
        yield (
            f"{figure.name}, {figure.unit}" if figure.unit else figure.name,
            *(shown(value) for value in (figure.ours, figure.stock, figure.floor)),
            *(_ratio(value) for value in (figure.of_stock, figure.of_floor)),
            changed(figure, before.get(figure.name)),
        )
    if outcome.fault:
        yield (f"FAILED: {outcome.fault}", *[""] * (len(HEADS) - 1))


def shown(value: float | None) -> str:
    """Three digits, or all of a whole number; nothing for nothing."""
    if value is None:
        return ""
    if value == round(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def changed(figure: Figure, last: Figure | None) -> str:
    """What ours was last time, and whether it has become better or worse since."""
    if last is None or last.unit != figure.unit:
        return ""
    moved = figure.ours - last.ours
    if abs(moved) <= SAME * abs(last.ours):
        return shown(last.ours)
    is_better = (moved > 0) is figure.more_is_better
    return f"{shown(last.ours)}, {'better' if is_better else 'WORSE'}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def failed(outcomes: Iterable[Outcome]) -> list[str]:
    """The names of those that failed."""
    return [each.name for each in outcomes if each.fault]
