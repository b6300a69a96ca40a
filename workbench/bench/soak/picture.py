"""A soak as a picture: a small drawing for each figure, time to the right."""

from collections.abc import Sequence
from itertools import pairwise

from workbench.bench.soak.sampling import KEPT, Kept, Sample
from workbench.bench.svg import Drawing

__all__ = ["picture"]

_COLUMNS, _WIDTH, _HEIGHT = 3, 300, 130
_TITLE, _LEFT, _BOTTOM = 44, 44, 34
_LINE, _GRID = "#2b6cc9", "#e4e4e4"


def picture(samples: Sequence[Sample], title: str) -> str:
    """The SVG's text. Each drawing begins at 0, so that growth shows in its true size."""
    rows = -(-len(KEPT) // _COLUMNS)
    drawing = Drawing(_COLUMNS * _WIDTH, _TITLE + rows * _HEIGHT, title)
    drawing.text(16, 26, title, size=15)
    for number, kept in enumerate(KEPT):
        x, y = number % _COLUMNS * _WIDTH, _TITLE + number // _COLUMNS * _HEIGHT
        _draw(drawing, x, y, kept, samples)
    return drawing.svg()


def _draw(drawing: Drawing, x: float, y: float, kept: Kept, samples: Sequence[Sample]) -> None:
    values = [float(getattr(each, kept.field)) for each in samples]
    most, longest = max(*values, 1.0) * 1.15, max(samples[-1].seconds, 1.0)
    left, right = x + _LEFT, x + _WIDTH - 16
    top, bottom = y + 20, y + _HEIGHT - _BOTTOM
    drawing.text(left, y + 12, kept.name, size=11)
    for share in (0.0, 0.5, 1.0):
        at = bottom - share / 1.15 * (bottom - top)
        drawing.line(left, at, right, at, _GRID)
        drawing.text(left - 6, at + 4, f"{share * most / 1.15:.4g}", anchor="end", size=9)
    points = [
        (left + each.seconds / longest * (right - left), bottom - value / most * (bottom - top))
        for each, value in zip(samples, values, strict=True)
    ]
    for (x1, y1), (x2, y2) in pairwise(points):
        drawing.line(x1, y1, x2, y2, _LINE)
    drawing.text(right, bottom + 14, f"{longest / 60:.0f} min", anchor="end", size=9)
