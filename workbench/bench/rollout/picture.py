"""The picture of docs/rollout.md: each hand-over from the signal on, and how long replies took."""

from collections.abc import Sequence

from workbench.bench.rollout.judgement import HandOver, Verdict
from workbench.bench.svg import Drawing

__all__ = ["picture"]

_WIDTH, _TOP, _LEFT, _RIGHT = 860, 70, 190, 20
_ROW = 3
_GRID = "#e4e4e4"
_COMING, _ALONG, _LEAVING = "#c9c9c9", "#8fb4e3", "#2b6cc9"
_PARTS = (
    (_COMING, "the other agent is on its way"),
    (_ALONG, "it listens along"),
    (_LEAVING, "it has the call, the first one leaves"),
)
_DOT = 3
_REPLIES = 130
_STEP_SECONDS = 5.0


def picture(verdict: Verdict) -> str:
    """The SVG's text."""
    moved = sorted((each for each in verdict.hand_overs if each.is_done), key=_moment)
    height = _TOP + len(moved) * _ROW + 60
    drawing = Drawing(_WIDTH, height + _REPLIES, "Calls that go from one worker to another")
    for place, (colour, name) in enumerate(_PARTS):
        drawing.box(_LEFT + place * 220, 12, 12, 12, colour)
        drawing.text(_LEFT + place * 220 + 18, 22, name, size=12)
    _hand_overs(drawing, moved)
    _replies(drawing, verdict, height)
    return drawing.svg()


def _moment(each: HandOver) -> tuple[str, float]:
    return each.moment, _since(each, each.left_at)


def _since(each: HandOver, at: float | None) -> float:
    return (at or each.told_at) - each.told_at


def _hand_overs(drawing: Drawing, moved: Sequence[HandOver]) -> None:
    longest = max((_since(each, each.left_at) for each in moved), default=1.0)
    wide = (_WIDTH - _LEFT - _RIGHT) / longest
    bottom = _TOP + len(moved) * _ROW
    drawing.text(_LEFT, _TOP - 24, "seconds after the signal, one line for each call", size=12)
    for step in range(int(longest / _STEP_SECONDS) + 1):
        at = _LEFT + step * _STEP_SECONDS * wide
        drawing.line(at, _TOP - 4, at, bottom, _GRID)
        drawing.text(at, _TOP - 8, f"{step * _STEP_SECONDS:.0f}", anchor="middle", size=10)
    before = ""
    for place, each in enumerate(moved):
        y = _TOP + place * _ROW
        if each.moment != before:
            drawing.text(_LEFT - 8, y + 10, each.moment, anchor="end", size=10)
            before = each.moment
        ends = [_since(each, at) for at in (each.told_at, each.came_at, each.took_at, each.left_at)]
        for (colour, _), begin, end in zip(_PARTS, ends, ends[1:], strict=False):
            length = max(0.0, end - begin) * wide
            drawing.box(_LEFT + begin * wide, y, length, _ROW - 1, colour)


def _replies(drawing: Drawing, verdict: Verdict, top: float) -> None:
    replies = [each for each in verdict.turns if each.reply_seconds is not None]
    longest = max((each.reply_seconds or 0.0 for each in replies), default=1.0)
    wide = (_WIDTH - _LEFT - _RIGHT) / longest
    drawing.text(_LEFT, top, "seconds until the reply, one dot for each question", size=12)
    names = (("hand-over", "with a hand-over"), ("start", "a worker starts"), ("", "otherwise"))
    for row, (during, name) in enumerate(names):
        y = top + 26 + row * 28
        drawing.text(_LEFT - 8, y + 4, name, anchor="end", size=10)
        drawing.line(_LEFT, y + 2, _WIDTH - _RIGHT, y + 2, _GRID)
        for place, each in enumerate(replies):
            if each.during == during:
                x = _LEFT + (each.reply_seconds or 0.0) * wide
                drawing.box(x, y - 6 + place % 4 * 4, _DOT, _DOT, _LEAVING)
    for second in range(int(longest) + 1):
        x = _LEFT + second * wide
        drawing.text(x, top + 26 + 3 * 28, str(second), anchor="middle", size=10)
