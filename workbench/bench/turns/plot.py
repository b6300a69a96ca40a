"""Cut-offs against wait, drawn as SVG: a point for each setting, or a curve for each preset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.bench.svg import Drawing
from workbench.bench.turns.judgement import Judgement

__all__ = ["Curve", "curves", "plot"]

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 60, 30, 60
_POINT, _TAIL, _GRID = "#c9772b", "#e8c9ab", "#e4e4e4"


_COLOURS = ("#c9772b", "#2b6cc9", "#2f8f4e", "#8a4fb0", "#7a7a7a")


@dataclass(frozen=True, slots=True)
class Curve:
    """A name, and its points in order: wait in ms, share of cut-offs (0 to 1), what it is."""

    name: str
    points: Sequence[tuple[float, float, str]]


@dataclass(frozen=True, slots=True)
class _Axes:
    longest_ms: float
    rudest: float

    def x(self, ms: float) -> float:
        return _LEFT + ms / self.longest_ms * (_WIDTH - _LEFT - _RIGHT)

    def y(self, share: float) -> float:
        return _HEIGHT - _BOTTOM - share / (self.rudest * 1.1) * (_HEIGHT - _TOP - _BOTTOM)

    def draw(self, drawing: Drawing, across: str, upwards: str) -> None:
        for ms in range(0, int(self.longest_ms) + 1, 500):
            drawing.line(self.x(ms), _TOP, self.x(ms), self.y(0), _GRID)
            drawing.text(self.x(ms), self.y(0) + 18, f"{ms} ms", anchor="middle", size=11)
        for tenth in range(int(self.rudest * 1.1 * 10) + 1):
            y = self.y(tenth / 10)
            drawing.line(_LEFT, y, _WIDTH - _RIGHT, y, _GRID)
            drawing.text(_LEFT - 8, y + 4, str(tenth * 10), anchor="end", size=11)
        drawing.text(_LEFT, 18, upwards, size=12)
        drawing.text(_WIDTH / 2, _HEIGHT - 12, across, anchor="middle", size=12)


def curves(title: str, drawn: Sequence[Curve]) -> str:
    """The SVG's text. To the right is slow, upwards is rude; points stand as they are given."""
    points = [point for curve in drawn for point in curve.points]
    longest_ms = max((ms for ms, _, _ in points), default=0.0) or 1.0
    axes = _Axes(longest_ms * 1.05, max((share for _, share, _ in points), default=0.0) or 0.1)
    drawing = Drawing(_WIDTH, _HEIGHT, title)
    axes.draw(drawing, "mean wait after the end of a turn", "cut-offs in 100 pauses")
    for number, curve in enumerate(drawn):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [(axes.x(ms), axes.y(share), name) for ms, share, name in curve.points]
        for (x1, y1, _), (x2, y2, _) in pairwise(placed):
            drawing.line(x1, y1, x2, y2, colour)
        for x, y, name in placed:
            drawing.point(x, y, colour)
            drawing.text(x + 8, y - 6, name, size=10)
        drawing.box(_WIDTH - 170, _TOP + 6 + number * 18, 12, 12, colour)
        drawing.text(_WIDTH - 152, _TOP + 17 + number * 18, curve.name)
    return drawing.svg()


def plot(title: str, judged: Mapping[str, Judgement]) -> str:
    """The SVG's text. To the right is slow, upwards is rude."""
    shown = {name: each for name, each in judged.items() if each.median_ms is not None}
    longest = max((each.p95_ms or 0.0 for each in shown.values()), default=0.0) or 1.0
    rudest = max((each.cut_off_share for each in shown.values()), default=0.0) or 0.1
    axes = _Axes(longest, rudest)
    drawing = Drawing(_WIDTH, _HEIGHT, title)

    words = "wait after the end of a turn: the point is the median, the line ends at 95 in 100"
    axes.draw(drawing, words, "cut-offs in 100 turns")
    for name, each in shown.items():
        median_ms, share = each.median_ms or 0.0, each.cut_off_share
        x, y = axes.x(median_ms), axes.y(share)
        drawing.box(x, y - 1.5, axes.x(each.p95_ms or median_ms) - x, 3, _TAIL)
        drawing.point(x, y, _POINT)
        drawing.text(x + 10, y - 8, name)
    return drawing.svg()
