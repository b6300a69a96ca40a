"""Curves as SVG: time to the right, in minutes; shares or calls upwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.bench.svg import Drawing

__all__ = ["Curve", "curves"]

_WIDTH, _HEIGHT = 760, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 200, 40, 50
_COLOURS = ("#2b6cc9", "#c9772b", "#2f8f4e", "#8a4fb0")
_GRID = "#e4e4e4"


@dataclass(frozen=True, slots=True)
class Curve:
    """A name and its points: minutes, and what stands upwards."""

    name: str
    points: Sequence[tuple[float, float]]


def curves(
    title: str, upwards: str, drawn: Sequence[Curve], ticks: Sequence[float], *, powers: bool
) -> str:
    """The SVG's text. `ticks` are the values that get a line, the lowest and the highest included;
    with `powers` each decade has the same height."""
    longest = max(minutes for curve in drawn for minutes, _ in curve.points)
    drawing = Drawing(_WIDTH, _HEIGHT, title)
    drawing.text(16, 22, f"{title}: {upwards}")

    def x(minutes: float) -> float:
        return _LEFT + minutes / longest * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        low, high = (math.log10(ticks[0]), math.log10(ticks[-1])) if powers else (0.0, ticks[-1])
        at = math.log10(max(value, ticks[0])) if powers else value
        return _HEIGHT - _BOTTOM - (at - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    for tick in ticks:
        drawing.line(_LEFT, y(tick), x(longest), y(tick), _GRID)
        drawing.text(_LEFT - 8, y(tick) + 4, f"{tick:,.0f}", anchor="end", size=11)
    for part in range(6):
        minutes = longest * part / 5
        drawing.text(
            x(minutes),
            _HEIGHT - 28,
            f"{minutes:.2g}" if minutes < 10 else f"{minutes:.0f}",
            anchor="middle",
            size=11,
        )
    drawing.text((_LEFT + x(longest)) / 2, _HEIGHT - 8, "minutes", anchor="middle", size=11)
    for number, curve in enumerate(drawn):
        colour = _COLOURS[number % len(_COLOURS)]
        for (x1, y1), (x2, y2) in pairwise([(x(at), y(value)) for at, value in curve.points]):
            drawing.line(x1, y1, x2, y2, colour)
        drawing.box(x(longest) + 14, _TOP + 22 * number, 12, 12, colour)
        drawing.text(x(longest) + 32, _TOP + 11 + 22 * number, curve.name, size=11)
    return drawing.svg()
