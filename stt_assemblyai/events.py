"""Speech events and transcripts: the values that this package gives its users.

All times are milliseconds on the stream's own audio clock: since the first sample that was pushed
into it, through all connections.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "EndOfSpeech",
    "Events",
    "Final",
    "Interim",
    "LateFormat",
    "NothingToEnd",
    "Overdue",
    "Preflight",
    "SpeakersRevised",
    "SpeechEvent",
    "SpokenWord",
    "StartOfSpeech",
    "Transcript",
    "Unanswered",
]


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word on the stream's audio clock, in milliseconds since its first sample."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float
    final: bool
    speaker: str | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole turn, as far as it is known. Unknown language or speaker is None."""

    session_id: str
    turn_order: int
    text: str
    words: tuple[SpokenWord, ...]
    formatted: bool = False
    end_of_turn_confidence: float = 0.0
    language: str | None = None
    language_confidence: float | None = None
    speaker: str | None = None

    @property
    def start_ms(self) -> int:
        return self.words[0].start_ms if self.words else 0

    @property
    def end_ms(self) -> int:
        return self.words[-1].end_ms if self.words else 0

    @property
    def confidence(self) -> float:
        """The mean of the words' confidences, 0 to 1."""
        return sum(w.confidence for w in self.words) / len(self.words) if self.words else 0.0


@dataclass(frozen=True, slots=True)
class StartOfSpeech:
    """The caller began to speak at `start_ms`, by the service's own figure."""

    start_ms: int


@dataclass(frozen=True, slots=True)
class Interim:
    """The whole turn so far; it may still change."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Preflight:
    """The whole turn so far, sure enough to start thinking about an answer."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Final:
    """The whole turn. One for each turn that had words, right before its EndOfSpeech."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class EndOfSpeech:
    """The turn is over. From the mapper `speech_end_ms` is the end of the last word, which the
    service pads; from a stream it is where the voice ended."""

    speech_end_ms: int


@dataclass(frozen=True, slots=True)
class NothingToEnd:
    """A flush found no open turn and no sound that may still become words: no Final follows."""


@dataclass(frozen=True, slots=True)
class LateFormat:
    """The formatted text of a turn whose Final was the plain text `replaces`. It is for screens and
    the history; as a Final it would be a turn of its own."""

    transcript: Transcript
    replaces: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """A turn should have ended by now: the service is asked to end it."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The service did not end the turn, so it was ended with what was known."""


@dataclass(frozen=True, slots=True)
class SpeakersRevised:
    """Corrected speakers of earlier turns, as (turn_order, speaker or None)."""

    session_id: str
    speakers: tuple[tuple[int, str | None], ...]


SpeechEvent = (
    StartOfSpeech
    | Interim
    | Preflight
    | Final
    | EndOfSpeech
    | NothingToEnd
    | LateFormat
    | Overdue
    | Unanswered
    | SpeakersRevised
)
Events = tuple[SpeechEvent, ...]
