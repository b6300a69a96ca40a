"""The wire vocabulary: the messages from the service and to it.

Only fields that are used are read; unknown types and fields are ignored (protocol notes, section
7). `decode` never raises: it reads the rest of a message with an odd field, and returns what cannot
be understood as `Unknown`, with the rule that it broke. All times are milliseconds of the session's
own audio.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, assert_never, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stt_assemblyai.errors import readable
from stt_assemblyai.lenient import read_leniently

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Begin",
    "ClientMessage",
    "ForceEndpoint",
    "Heartbeat",
    "KeepAlive",
    "LLMGatewayResponse",
    "ServerError",
    "ServerMessage",
    "Silence",
    "SpeakerRevision",
    "SpeechStarted",
    "Terminate",
    "Termination",
    "Turn",
    "Unknown",
    "UpdateConfiguration",
    "Warned",
    "Word",
    "decode",
    "decode_exactly",
    "encode",
]


Milliseconds = Annotated[int, Field(ge=-(2**53), le=2**53)]  # exact in a JSON number
Order = Annotated[int, Field(ge=0, le=2**53)]


class _Received(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Begin(_Received):
    """The session is open. `expires_at` is in unix seconds (section 7.1).

    Its type is enough: whatever else it says, the session is open."""

    type: Literal["Begin"]
    id: str = ""
    expires_at: Annotated[int, Field(ge=0, le=2**40)] | None = None
    configuration: dict[str, Any] = Field(default_factory=dict)


class SpeechStarted(_Received):
    """Speech began at `timestamp`; sent right before that turn's first `Turn` (section 7.2)."""

    type: Literal["SpeechStarted"]
    timestamp: Milliseconds


class Word(_Received):
    """One word; its edges are padded, so `end` may lie 0.2 to 1.3 s after the sound (7.3)."""

    text: str
    start: Milliseconds
    end: Milliseconds
    confidence: float = 0.0
    word_is_final: bool = False
    speaker: str | None = None


class Turn(_Received):
    """A turn so far (`end_of_turn` false) or as a whole; families differ (section 8)."""

    type: Literal["Turn"]
    turn_order: Order
    end_of_turn: bool = False
    turn_is_formatted: bool = False
    transcript: str = ""
    words: tuple[Word, ...] = ()
    utterance: str = ""
    end_of_turn_confidence: float = 0.0
    language_code: str | None = None
    language_confidence: float | None = None
    speaker_label: str | None = None


class RevisedTurn(_Received):
    """A turn with corrected speakers."""

    turn_order: Order
    speaker_label: str | None = None
    words: tuple[Word, ...] = ()


class SpeakerRevision(_Received):
    """Corrected speaker names of earlier turns; texts and times are unchanged (section 7.9)."""

    type: Literal["SpeakerRevision"]
    revisions: tuple[RevisedTurn, ...] = ()


class Termination(_Received):
    """The last message of a properly ended session (section 7.4); wall time is billed."""

    type: Literal["Termination"]
    audio_duration_seconds: float = 0.0
    session_duration_seconds: float | None = None


class ServerError(_Received):
    """The only readable cause of the close that follows (section 7.5)."""

    type: Literal["Error"] = "Error"
    error: str = ""
    error_code: int | None = None


class Warned(_Received):
    """The service warns, and goes on (section 7.6)."""

    type: Literal["Warning"]
    warning: str = ""
    warning_code: int | None = None


class Heartbeat(_Received):
    """Sent every 5 s when `session_heartbeat` is on (section 7.7)."""

    type: Literal["Heartbeat"]
    total_audio_received_ms: Milliseconds = 0
    realtime_factor: float = 1.0


class Silence(_Received):
    """Nothing is being said; sent about once a second on request (section 7.8)."""

    type: Literal["Silence"]
    start_ms: Milliseconds = 0
    end_ms: Milliseconds = 0


class LLMGatewayResponse(_Received):
    """A language model's answer to an ended turn (section 7.10)."""

    type: Literal["LLMGatewayResponse"]
    turn_order: Order
    data: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of an unknown type (`fault` is empty), or one that breaks a known rule."""

    type: str
    fault: str = ""


_KnownMessage = (
    Begin
    | SpeechStarted
    | Turn
    | SpeakerRevision
    | Termination
    | ServerError
    | Warned
    | Heartbeat
    | Silence
    | LLMGatewayResponse
)
ServerMessage = _KnownMessage | Unknown

_ADAPTER: TypeAdapter[_KnownMessage] = TypeAdapter(
    Annotated[_KnownMessage, Field(discriminator="type")]
)


_MODELS: dict[str, type[_KnownMessage]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(_KnownMessage)
}
_LONGEST_NAME = 40  # of an unknown type: it goes into the log


def decode(text: str | bytes, faults: list[Unknown] | None = None) -> ServerMessage:
    """Read one text frame. Never raises.

    Adds the unreadable parts of an otherwise understood message to `faults`.
    """
    message = decode_exactly(text)
    return message or _decode_leniently(text, [] if faults is None else faults)


def decode_exactly(text: str | bytes) -> ServerMessage | None:
    """Read one text frame that keeps every rule. None if it does not."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None


def _decode_leniently(text: str | bytes, faults: list[Unknown]) -> ServerMessage:
    """Read a message that breaks the rules: an Error without a type, a field of another kind."""
    try:
        fields = json.loads(text)
        # half a character, such as "\\ud800", could not be written anywhere
        fields = json.loads(json.dumps(fields, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return Unknown("", "not JSON")
    if not isinstance(fields, dict):
        return Unknown("", "not a JSON object")
    given = {name: value for name, value in fields.items() if value is not None}
    name = str(given.get("type", ""))[:_LONGEST_NAME]
    if name not in _MODELS and "error" in given:
        given["type"] = name = "Error"
    if name == "Error":
        given["error"] = readable(given.get("error", ""))
    if name not in _MODELS:
        return Unknown(name, "" if name else "no type")
    message, sentences = read_leniently(_MODELS[name], given)
    if message is None:
        return Unknown(name, sentences[0])
    faults += [Unknown(name, sentence) for sentence in sentences]
    return message


@dataclass(frozen=True, slots=True)
class UpdateConfiguration:
    """Change options of the open session; `SessionOptions.changes` gives the values."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ForceEndpoint:
    """End the open turn now; its final follows after about 270 ms (section 11)."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Only reset `inactivity_timeout`."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """End the session; finals in flight and a Termination follow (section 12.2)."""


ClientMessage = UpdateConfiguration | ForceEndpoint | KeepAlive | Terminate


def encode(message: ClientMessage) -> str:
    """The text frame for a message (section 11)."""
    match message:
        case UpdateConfiguration(changes=changes):
            return json.dumps({"type": "UpdateConfiguration", **changes}, ensure_ascii=False)
        case ForceEndpoint() | KeepAlive() | Terminate():
            return json.dumps({"type": type(message).__name__})
        case _:  # pragma: no cover
            assert_never(message)
