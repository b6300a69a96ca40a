"""The waterfall: where the milliseconds of each contestant's median turn go, drawn as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.bench.latency.measurement import Marks
from workbench.bench.svg import Drawing

__all__ = ["Bar", "bars", "captions", "waterfall"]

_COLOURS = {
    "AssemblyAI": "#3b6ea5",
    "formatting": "#a9c4e0",
    "LLM": "#c9772b",
    "TTS": "#4f8f4f",
    "waiting": "#d8d8d8",
}
_LEFT, _RIGHT, _TOP, _ROW, _BAR = 130, 60, 46, 66, 16
_WIDTH = 900


@dataclass(frozen=True, slots=True)
class Bar:
    """What somebody does, from when to when, in milliseconds after the end of speech."""

    who: str
    begin: float
    end: float


def bars(marks: Marks) -> list[list[Bar]]:
    """Three lanes: STT, LLM and TTS, and the waiting in between.

    What never happened, or came too late to matter, is not drawn.
    """
    heard = [Bar("AssemblyAI", 0, marks.end_of_turn)] if marks.end_of_turn is not None else []
    if marks.end_of_turn is not None and marks.twin is not None:
        heard.append(Bar("formatting", marks.end_of_turn, marks.twin))
    thought = _work("LLM", marks.llm_asked, marks.llm_token)
    spoken = _work("TTS", marks.tts_asked, marks.tts_sound)
    known = marks.end_of_turn
    if thought and known is not None and thought[0].begin > known:
        thought.insert(0, Bar("waiting", known, thought[0].begin))
    if thought and spoken and spoken[0].begin > thought[-1].end:
        spoken.insert(0, Bar("waiting", thought[-1].end, spoken[0].begin))
    if spoken and marks.reply > spoken[-1].end:
        spoken.append(Bar("waiting", spoken[-1].end, marks.reply))
    return [heard, thought, spoken]


def _work(who: str, begin: float | None, end: float | None) -> list[Bar]:
    return [] if begin is None or end is None else [Bar(who, begin, end)]


def waterfall(title: str, median_turns: Mapping[str, Marks]) -> str:
    """The SVG's text. Time runs to the right from the end of speech.

    Raises ValueError without any turn.
    """
    if not median_turns:
        raise ValueError("there is no turn to draw")
    longest = max(marks.reply for marks in median_turns.values())
    first = min([0.0, *(bar.begin for marks in median_turns.values() for bar in _all(marks))])
    scale = (_WIDTH - _LEFT - _RIGHT) / (longest - first)
    height = _TOP + _ROW * len(median_turns) + 30
    drawing = Drawing(_WIDTH, height, title)

    def x(ms: float) -> float:
        return _LEFT + (ms - first) * scale

    for ms in range(int(first // 200) * 200, int(longest) + 1, 200):
        if ms >= first:
            drawing.line(x(ms), _TOP - 6, x(ms), height - 26, "#e4e4e4")
            drawing.text(x(ms), height - 10, f"{ms} ms", anchor="middle", size=11)
    for place, (who, colour) in enumerate(_COLOURS.items()):
        drawing.box(_LEFT + place * 120, 10, 12, 12, colour)
        drawing.text(_LEFT + place * 120 + 17, 20, who, size=12)
    for row, (name, marks) in enumerate(median_turns.items()):
        top = _TOP + row * _ROW
        drawing.text(_LEFT - 12, top + 28, name, anchor="end", size=13)
        for lane, lane_bars in enumerate(bars(marks)):
            for bar in lane_bars:
                width = max(1.0, (bar.end - bar.begin) * scale)
                drawing.box(x(bar.begin), top + lane * (_BAR + 2), width, _BAR, _COLOURS[bar.who])
        drawing.line(x(marks.reply), top - 2, x(marks.reply), top + 3 * (_BAR + 2), "#222222")
        drawing.text(x(marks.reply) + 4, top + 47, f"{marks.reply:.0f}", size=12)
    return drawing.svg()


def _all(marks: Marks) -> Iterator[Bar]:
    for lane in bars(marks):
        yield from lane


def captions(median_turns: Mapping[str, Marks]) -> Sequence[str]:
    """The picture in words, for readers who cannot see it."""
    lines = []
    for name, marks in median_turns.items():
        drawn = ", ".join(f"{bar.who} {bar.begin:.0f} to {bar.end:.0f}" for bar in _all(marks))
        lines.append(f"- {name}: {drawn}; heard at {marks.reply:.0f}")
    return lines
