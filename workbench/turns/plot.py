"""Cut-offs against wait, drawn as SVG: one point for each setting, a line up to its slow turns."""

from collections.abc import Mapping

from workbench.svg import Drawing
from workbench.turns.judgement import Judgement

__all__ = ["plot"]

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 60, 30, 60
_POINT, _TAIL, _GRID = "#c9772b", "#e8c9ab", "#e4e4e4"


def plot(title: str, judged: Mapping[str, Judgement]) -> str:
    """The SVG's text. To the right is slow, upwards is rude."""
    shown = {name: each for name, each in judged.items() if each.median_ms is not None}
    longest = max((each.p95_ms or 0.0 for each in shown.values()), default=0.0) or 1.0
    rudest = max((each.cut_off_share for each in shown.values()), default=0.0) or 0.1
    drawing = Drawing(_WIDTH, _HEIGHT, title)

    def x(ms: float) -> float:
        return _LEFT + ms / longest * (_WIDTH - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return _HEIGHT - _BOTTOM - share / (rudest * 1.1) * (_HEIGHT - _TOP - _BOTTOM)

    for ms in range(0, int(longest) + 1, 500):
        drawing.line(x(ms), _TOP, x(ms), y(0), _GRID)
        drawing.text(x(ms), y(0) + 18, f"{ms} ms", anchor="middle", size=11)
    for tenth in range(int(rudest * 1.1 * 10) + 1):
        drawing.line(_LEFT, y(tenth / 10), _WIDTH - _RIGHT, y(tenth / 10), _GRID)
        drawing.text(_LEFT - 8, y(tenth / 10) + 4, str(tenth * 10), anchor="end", size=11)
    drawing.text(_LEFT, 18, "cut-offs in 100 turns", size=12)
    words = "wait after the end of a turn: the point is the median, the line ends at 95 in 100"
    drawing.text(_WIDTH / 2, _HEIGHT - 12, words, anchor="middle", size=12)
    for name, each in shown.items():
        median_ms, share = each.median_ms or 0.0, each.cut_off_share
        drawing.box(
            x(median_ms), y(share) - 1.5, x(each.p95_ms or median_ms) - x(median_ms), 3, _TAIL
        )
        drawing.point(x(median_ms), y(share), _POINT)
        drawing.text(x(median_ms) + 10, y(share) - 8, name)
    return drawing.svg()
