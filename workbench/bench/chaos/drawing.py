"""The picture of a run: each call's silences, and the faults that struck meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.bench.chaos.calls import Outcome, Report
from workbench.bench.svg import Drawing

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 1100.0, 70.0, 190.0, 30.0, 18.0
_STRUCK_ROW = 13.0
_HEARD, _SILENT, _LOST, _LINE = "#4c9f70", "#e3e8ee", "#c8374a", "#b0b7c0"
_LONG_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault, and when it struck, on the clock of `time.monotonic`."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Story:
    """What became of the calls of a run, and what struck meanwhile."""

    reports: Sequence[Report]
    struck: Sequence[Struck]


def draw(story: Story, title: str) -> str:
    """An SVG: a row for each call, green where the caller heard somebody, a line for each fault.

    A silence of ten seconds and more is red, with its length beside the row.
    """
    lines = [(each, each.hearing) for each in story.reports if each.hearing]
    first = min((line.joined_at for _, line in lines), default=0.0)
    last = max((line.left_at for _, line in lines), default=first + 1)
    scale = (_WIDTH - _LEFT - _RIGHT) / max(last - first, 1.0)

    def x(at: float) -> float:
        return _LEFT + (min(max(at, first), last) - first) * scale

    bottom = _TOP + _ROW * len(lines)
    height = bottom + 30 + _STRUCK_ROW * len(story.struck)
    drawing = Drawing(_WIDTH, height, title)
    drawing.text(_LEFT, 18, title)
    for place, struck in enumerate(story.struck):
        y = bottom + 24 + _STRUCK_ROW * place
        drawing.line(x(struck.at), _TOP, x(struck.at), y - 8, _LINE)
        words = f"{struck.at - first:.0f} s  {struck.name}"
        is_late = x(struck.at) > _WIDTH / 2
        drawing.text(x(struck.at), y, words, anchor="end" if is_late else "start", size=10)
    for place, (report, line) in enumerate(lines):
        y = _TOP + _ROW * place
        drawing.text(_LEFT - 6, y + 11, report.room, anchor="end", size=11)
        width = x(line.left_at) - x(line.joined_at)
        drawing.box(x(line.joined_at), y + 2, width, _ROW - 6, _HEARD)
        for start, end in line.silences:
            colour = _LOST if end - start >= _LONG_SECONDS else _SILENT
            drawing.box(x(start), y + 2, x(end) - x(start), _ROW - 6, colour)
        drawing.text(x(last) + 8, y + 11, _ending(report, line.longest_silence_seconds), size=10)
    return drawing.svg()


def _ending(report: Report, silence_seconds: float) -> str:
    outcome = {Outcome.REPLACED: "answered, two agents", Outcome.CUT_OFF: "cut off"}
    return f"{outcome.get(report.outcome, report.outcome.value)}, {silence_seconds:.0f} s silent"
