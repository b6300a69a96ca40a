"""The figures as tables: in the terminal and in the page. Every cell comes from a measurement."""

from collections.abc import Callable, Mapping, Sequence

from rich.table import Table

from workbench.latency.dialogue import Line
from workbench.latency.measurement import Summary
from workbench.latency.providers import Delays
from workbench.loopback.assemblyai_v3.immutable_turns import UTTERANCE_SILENCE_MS

__all__ = ["Row", "introduction", "rows", "sweep_rows", "table"]

_INTRODUCTION = """# How soon the caller hears an answer

Written by `make bench-latency`; do not edit. From the end of the caller's speech to the first sound
of the reply, ours and the stock plugin, in one run and in rotation, so that whatever else the
machine does falls on all of them. Ours has its default settings; "stock" is put together as its
guide shows it, "stock, tuned" has LiveKit's delay off and speech synthesis before the turn is
committed. All have the same thresholds (0.7, 160 ms, 2400 ms), the same LLM and the same voice.

The providers are scripted, behind real sockets: a transcript comes {delays.transcript_ms} ms after
its sound arrived, the utterance and the turn end after {silence_ms} ms of silence, the formatted
twin comes {twin}; the LLM's first token takes {delays.first_token_ms} ms, the first byte of speech
{delays.first_sound_ms} ms. Added up: {delays.sum_of_parts_ms} ms, and on average 25 ms more, as
audio travels in frames of 50 ms. The caller says:

{said}

In brackets: the pause, and AssemblyAI's confidence in it that the turn is over; at the end of a
line that is 0.9. The breath of 0.09 s is there to mislead. Our worker's "one moment", said when a
reply is slow, is switched off. A turn with a pause costs stock an LLM request for each part and one
more for the whole. "Tokens wasted" are those of requests whose answer nobody heard, whole prompts
included. "Some" and "full" are `AGENT_EAGERNESS`. A service that tells late has the same delays,
but until it ends a turn its confidence stays low and its last word open, and cut while it is being
said: nothing that it says tells of an end before the end.

Half of stock's turns keep the reply that was begun early, the other half throw it away, and its
median lies between the two groups: it moves more from run to run than any of ours.
"""

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


def sweep_rows(found: Mapping[str, Mapping[str, Summary]], stock: str) -> list[Row]:
    """A row for each case: every contestant's median, and its share of stock's."""
    return [
        (case, *(_beside(each, summaries[stock]) for each in summaries.values()))
        for case, summaries in found.items()
    ]


def introduction(delays: Delays, lines: Sequence[Line]) -> str:
    """What the page says before its figures."""
    twin = "no formatted twin" if delays.twin_ms is None else f"{delays.twin_ms} ms later"
    said = "\n".join(f"- {_spoken(line)}" for line in lines)
    return _INTRODUCTION.format(
        delays=delays, twin=twin, silence_ms=UTTERANCE_SILENCE_MS, said=said
    )


def _spoken(line: Line) -> str:
    pause = f" *({line.pause_seconds:g} s, confidence {line.confidence:g})* "
    return pause.join(line.parts)


def _beside(mine: Summary, stock: Summary) -> str:
    share = _share(mine.median_ms, stock.median_ms)
    return f"{_ms(mine.median_ms)} ({share})" if share else _ms(mine.median_ms)


def table(title: str, names: Sequence[str], lines: Sequence[Row]) -> Table:
    """For the terminal."""
    drawn = Table(title=title, title_justify="left")
    for head in ("", *names):
        drawn.add_column(head, justify="right" if head else "left")
    for line in lines:
        drawn.add_row(*line)
    return drawn


def _ms(value: float | None) -> str:
    return "no reply" if value is None else f"{value:.0f} ms"


def _share(value: float | None, base: float | None) -> str:
    return "" if value is None or base is None else f"{value / base:.2f}"
