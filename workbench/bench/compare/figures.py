"""Figures that a user understands, each read from an observation in the same way for everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from livekit.agents import stt

if TYPE_CHECKING:
    from workbench.bench.compare.observation import Observation, Seen

__all__ = [
    "BURST",
    "CLOSES",
    "CONNECTS",
    "EMPTY",
    "ENDING",
    "ERROR",
    "FINAL",
    "FINAL_AFTER",
    "FRAMES",
    "LEAD",
    "LOGGED",
    "REVISED",
    "SPEAKERS",
    "START",
    "TURNS",
    "TURN_ENDS",
    "USAGE",
    "WORDS",
    "Figure",
]

Type = stt.SpeechEventType


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table: its name, and how its cells come from what was measured."""

    name: str
    read: Callable[[Observation], str]


def _words(seen: Observation) -> str:
    once, too_often = seen.words
    doubled = f", {too_often} twice" if too_often else ""
    return f"{once} of {len(seen.said)}{doubled}"


def _turns(seen: Observation) -> str:
    starts = sum(1 for _ in seen.of(Type.START_OF_SPEECH))
    ends = sum(1 for _ in seen.of(Type.END_OF_SPEECH))
    return f"{starts} / {ends}"


def _turns_before_the_end(seen: Observation) -> str:
    ends = [s for s in seen.of(Type.END_OF_SPEECH) if s.at < seen.ending_at]
    return _seconds(ends[0].at - seen.said[-1].end_ms / 1000) if ends else "never"


def _error(seen: Observation) -> str:
    if seen.failure is None:
        return "none"
    again = "may be retried" if seen.failure.retryable else "not to be retried"
    return f"after {_seconds(seen.failure.at)}, {again}: {seen.failure.text}"


def _final_after(seen: Observation) -> str:
    after = seen.last_word_came_after
    return "never" if after is None else _seconds(after)


def _start(seen: Observation) -> str:
    first = next(seen.of(Type.START_OF_SPEECH), None)
    return "never" if first is None else _seconds(first.at - seen.said[0].start_ms / 1000)


def _lead(seen: Observation) -> str:
    """How long before its final a turn's last preflight had the same words."""
    leads = []
    latest: Seen | None = None
    for event in seen.seen:
        if event.event.type is Type.PREFLIGHT_TRANSCRIPT:
            latest = event
        elif event.event.type is Type.FINAL_TRANSCRIPT:
            leads.append(event.at - latest.at if latest else 0.0)
            latest = None
    return _seconds(max(leads)) if leads else "no final"


def _final(seen: Observation) -> str:
    return " | ".join(final.text for final in seen.finals if final.text) or "none"


def _empty(seen: Observation) -> str:
    return str(sum(not final.text for final in seen.finals))


def _terminated(seen: Observation) -> str:
    begun = [s for s in seen.sessions if s.session_id is not None]
    terminated = sum(session.was_terminated for session in begun)
    return f"{terminated} of {len(begun)}; closed after {_seconds(seen.closed_at - seen.ending_at)}"


def _frames(seen: Observation) -> str:
    durations = Counter[float]()
    for session in seen.sessions:
        durations += session.frame_durations_ms
    if not durations:
        return "none"
    short = sum(n for ms, n in durations.items() if ms < 50)
    return f"{short} of {sum(durations.values())} under 50 ms; longest {max(durations):g} ms"


def _closes(seen: Observation) -> str:
    codes = Counter(str(session.close_code or "cut") for session in seen.sessions)
    return ", ".join(f"{n} with {code}" for code, n in sorted(codes.items())) or "none"


def _speakers(seen: Observation) -> str:
    names = [str(f.event.alternatives[0].speaker_id) for f in seen.finals if f.text]
    return ", ".join(names) or "none"


def _usage(seen: Observation) -> str:
    usages = [s.event.recognition_usage for s in seen.of(Type.RECOGNITION_USAGE)]
    return _seconds(sum(u.audio_duration for u in usages if u))


def _seconds(seconds: float) -> str:
    return f"{max(0.0, seconds):.1f} s"


WORDS = Figure("words understood", _words)
TURNS = Figure("starts / ends of speech", _turns)
TURN_ENDS = Figure("turn ends, on the open line, after", _turns_before_the_end)
CONNECTS = Figure("connections", lambda seen: str(len(seen.sessions)))
CLOSES = Figure("closes", _closes)
ERROR = Figure("error", _error)
FINAL_AFTER = Figure("final after the last word", _final_after)
START = Figure("start of speech after the first sound", _start)
LEAD = Figure("head start of a preflight", _lead)
FINAL = Figure("finals", _final)
EMPTY = Figure("finals without words", _empty)
ENDING = Figure("sessions terminated", _terminated)
FRAMES = Figure("audio messages", _frames)
BURST = Figure(
    "audio in the first 0.1 s of the session",
    lambda seen: "none" if seen.burst_ms is None else f"{seen.burst_ms:.0f} ms",
)
SPEAKERS = Figure("speakers of the finals", _speakers)
REVISED = Figure("speakers corrected", lambda seen: str(seen.revised_speakers))
USAGE = Figure("usage reported", _usage)
LOGGED = Figure("errors logged", lambda seen: str(seen.log_errors))
