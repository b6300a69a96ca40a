"""The picture of docs/capacity.md: replies, CPU and memory over the number of calls."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from workbench.bench.capacity.step import Step
from workbench.bench.svg import Drawing

__all__ = ["picture"]

_WIDTH, _HEIGHT = 320, 250
_TOP, _LEFT, _RIGHT, _BOTTOM = 64, 48, 16, 40
_GRID = "#e4e4e4"
_COLOURS = ("#2b6cc9", "#c9582b", "#7a7a7a", "#3c8f4a", "#8a4fb5")
_ROOM = 1.1

Read = Callable[[Step], float | None]


def picture(held: Mapping[str, Sequence[Step]]) -> str:
    """The SVG's text: a drawing for each figure, a line for each worker, by its name."""
    panels: tuple[tuple[str, Read], ...] = (
        ("reply, 95th percentile, ms", lambda step: _ms(step.heard.p95)),
        ("CPU of a call, % of a core", lambda step: 100 * step.cpu_per_call),
        ("memory of a call, MB (PSS)", lambda step: step.mb_per_call),
    )
    drawing = Drawing(len(panels) * _WIDTH, _HEIGHT + _TOP, "Calls that a machine carries")
    for place, (name, colour) in enumerate(zip(held, _COLOURS, strict=False)):
        x = _LEFT + place * 190
        drawing.box(x, 14, 12, 12, colour)
        drawing.text(x + 18, 25, name, size=12)
    for place, (title, read) in enumerate(panels):
        _draw(drawing, place * _WIDTH, title, held, read)
    return drawing.svg()


def _draw(
    drawing: Drawing, x: float, title: str, held: Mapping[str, Sequence[Step]], read: Read
) -> None:
    lines = {
        name: [(step.calls, y) for step in steps if (y := read(step)) is not None]
        for name, steps in held.items()
    }
    found = [point for line in lines.values() for point in line]
    most_calls = max((calls for calls, _ in found), default=1)
    most = max((y for _, y in found), default=1.0) * _ROOM
    left, right, top, bottom = x + _LEFT, x + _WIDTH - _RIGHT, _TOP, _TOP + _HEIGHT - _BOTTOM
    drawing.text(left, top - 12, title, size=12)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = bottom - share * (bottom - top)
        drawing.line(left, at, right, at, _GRID)
        drawing.text(left - 6, at + 4, f"{share * most:.0f}", anchor="end", size=10)
    for calls in sorted({calls for calls, _ in found}):
        at = left + calls / most_calls * (right - left)
        drawing.text(at, bottom + 16, str(calls), anchor="middle", size=10)
    drawing.text(right, bottom + 32, "calls at once", anchor="end", size=10)
    for line, colour in zip(lines.values(), _COLOURS, strict=False):
        points = [
            (left + calls / most_calls * (right - left), bottom - y / most * (bottom - top))
            for calls, y in line
        ]
        for (x1, y1), (x2, y2) in pairwise(points):
            drawing.line(x1, y1, x2, y2, colour)
        for at, y in points:
            drawing.box(at - 3, y - 3, 6, 6, colour)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
