"""Every event that leaves a stream: what the caller said, and what became of the sessions.

All times are milliseconds on the stream's own audio clock: since the first sample that was pushed
into it, through all sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stt_assemblyai.errors import AssemblyAIError
from stt_assemblyai.messages import (
    Heartbeat,
    LLMGatewayResponse,
    Silence,
    Termination,
    Unknown,
    Warned,
)
from stt_assemblyai.transcript import Transcript, TurnEnd

__all__ = [
    "EndOfSpeech",
    "Ended",
    "Events",
    "Final",
    "Interim",
    "Interrupted",
    "LateFormat",
    "NothingToEnd",
    "Noticed",
    "Opened",
    "Overdue",
    "Preflight",
    "SessionUsage",
    "SpeakersRevised",
    "SpeechEvent",
    "StartOfSpeech",
    "StreamEvent",
    "Unanswered",
]


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
    """The whole turn. Each turn that had words gets one, right before its EndOfSpeech."""

    transcript: Transcript
    end: TurnEnd = field(default=TurnEnd(), compare=False)


@dataclass(frozen=True, slots=True)
class EndOfSpeech:
    """The turn is over. From a stream, `speech_end_ms` is where the voice ended. From the turn
    mapper it is the end of the last word, which the service pads with silence."""

    speech_end_ms: int


@dataclass(frozen=True, slots=True)
class NothingToEnd:
    """A flush found no open turn, and no sound that may still become words: no Final follows."""


@dataclass(frozen=True, slots=True)
class LateFormat:
    """The formatted text of a turn whose Final was the plain text `replaces`. It is for screens and
    the history; as a Final it would be another turn."""

    transcript: Transcript
    replaces: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """A turn should have ended by now: the service is asked to end it."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The service did not end the turn when asked, so it was ended with what was known."""


@dataclass(frozen=True, slots=True)
class SpeakersRevised:
    """Corrected speakers of earlier turns, as (turn_order, speaker or None)."""

    session_id: str
    speakers: tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """The service accepted a session. `mismatches` names the options that it did not take as asked.

    `expires_at` is in unix seconds. `opening_seconds` is how long the opening took, including the
    wait for the budget of new sessions.
    """

    session_id: str
    expires_at: int | None
    mismatches: tuple[str, ...]
    opening_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Noticed:
    """A message that is only worth a log line or a figure."""

    message: Warned | Heartbeat | Silence | LLMGatewayResponse | Unknown


@dataclass(frozen=True, slots=True)
class Ended:
    """A session ended as asked. Without a `termination`, last words may be missing."""

    termination: Termination | None
    error: AssemblyAIError | None = None


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A session broke off or could not be opened. The next attempt follows after a wait.

    `dropped_ms` counts the audio that the stream has dropped so far without its being heard.
    """

    error: AssemblyAIError
    wait_seconds: float
    dropped_ms: int


@dataclass(frozen=True, slots=True)
class SessionUsage:
    """What one session cost. `reason` is why it was opened: `start`, `roll over`, `audio again`, or
    the name of an error. `estimated` says that the service gave no figure of its own."""

    session_id: str
    reason: str
    billed_seconds: float
    estimated: bool
    audio_sent_seconds: float
    audio_resent_seconds: float


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
StreamEvent = SpeechEvent | Opened | Noticed | Ended | Interrupted | SessionUsage
