"""One session's life on one connection, as a state machine without a clock or a socket.

      OPENING --Begin--> OPEN --terminate--> ENDING --Termination--> ENDED
      OPENING --terminate--> ENDING --Error, or close--> ENDED
      OPENING --Error, close, or Termination--> FAILED
      OPEN --Error, close, or Termination--> FAILED

Text frames and closes come in; events for the
caller and frames for the socket go out. A session that ENDED or FAILED stays silent (protocol
notes, sections 7, 12 and 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from stt_assemblyai.errors import AssemblyAIError, classify_close
from stt_assemblyai.events import Ended, Noticed, Opened
from stt_assemblyai.long_turns import TurnReader
from stt_assemblyai.messages import (
    Begin,
    ClientMessage,
    Heartbeat,
    LLMGatewayResponse,
    ServerError,
    Silence,
    SpeakerRevision,
    SpeechStarted,
    Terminate,
    Termination,
    Turn,
    Unknown,
    Warned,
    encode,
)
from stt_assemblyai.models import WHISPER
from stt_assemblyai.noise import without_noise

if TYPE_CHECKING:
    from stt_assemblyai.options import SessionOptions

__all__ = ["Event", "Failed", "Heard", "Session", "State"]


class State(Enum):
    """Where a session is in its life; see the drawing above."""

    OPENING = "opening"
    OPEN = "open"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Heard:
    """Something about the caller's speech."""

    message: Turn | SpeechStarted | SpeakerRevision


@dataclass(frozen=True, slots=True)
class Failed:
    """The session ended without being asked to."""

    error: AssemblyAIError


Event = Opened | Heard | Noticed | Ended | Failed


class Session:
    """One session. `state` is public and changes only in this class."""

    def __init__(self, options: SessionOptions) -> None:
        self.state = State.OPENING
        self._options = options
        self._tags_noise = options.family is WHISPER
        self._has_begun = False  # a session that is ending may not have begun
        self._uncoded_error = ""  # an Error without a code, which the following close has
        self._reader = TurnReader()
        self.faults: list[Unknown] = []  # unreadable parts of the newest message

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in (State.ENDED, State.FAILED)

    @property
    def writable(self) -> bool:
        """Whether audio and messages may be sent. Audio may be sent before Begin (section 6)."""
        return self.state in (State.OPENING, State.OPEN)

    def say(self, message: ClientMessage) -> str:
        """The text frame for a message; Terminate starts the end."""
        self._check_writable()
        if isinstance(message, Terminate):
            self.state = State.ENDING
        return encode(message)

    def receive(self, text: str | bytes) -> Event | None:
        """Handle a text frame."""
        if self.over:
            return None
        self.faults = []
        message = self._reader.read(text, self.faults)
        match message:
            case Begin():
                return self._begin(message)
            case Turn() | SpeechStarted() | SpeakerRevision():
                return Heard(without_noise(message) if self._tags_noise else message)
            case Termination():
                return self._end(message)
            case ServerError():
                return self._fail_by_message(message)
            case Warned() | Heartbeat() | Silence() | LLMGatewayResponse() | Unknown():
                return Noticed(message)
            case _:  # pragma: no cover
                assert_never(message)

    def receive_close(self, code: int, reason: str) -> Event | None:
        """The connection is closed; code 1006 means that it broke without a close frame."""
        if self.over:
            return None
        return self._fail(classify_close(code, self._uncoded_error or reason))

    def fail(self, error: AssemblyAIError) -> Event | None:
        """The caller gives up on this connection for its own reason."""
        return None if self.over else self._fail(error)

    def _check_writable(self) -> None:
        if not self.writable:
            raise RuntimeError(f"nothing can be sent in a session that is {self.state.value}")

    def _begin(self, message: Begin) -> Event:
        if self._has_begun:
            return Noticed(Unknown("Begin", "a second Begin"))
        self._has_begun = True
        if self.state is State.OPENING:
            self.state = State.OPEN
        return Opened(message.id, message.expires_at, self._mismatches(message))

    def _mismatches(self, begin: Begin) -> tuple[str, ...]:
        """Compare Begin with what was asked: the service ignores misspelt parameters silently
        (section 3)."""
        asked = self._options.effective()
        asked["model"] = asked.pop("speech_model")
        return tuple(
            f"{name}: asked for {asked[name]}, given {given}"
            for name, given in begin.configuration.items()
            if name in asked and given != asked[name]
        )

    def _end(self, termination: Termination) -> Event:
        if self.state is not State.ENDING:  # the service ends the session by itself
            return self._fail(classify_close(1000, "Session Ended"))
        self.state = State.ENDED
        return Ended(termination)

    def _fail_by_message(self, message: ServerError) -> Event | None:
        if message.error_code is None:
            self._uncoded_error = message.error
            return None
        return self._fail(classify_close(message.error_code, message.error))

    def _fail(self, error: AssemblyAIError) -> Event:
        if self.state is State.ENDING:
            self.state = State.ENDED
            return Ended(None, error)
        self.state = State.FAILED
        return Failed(error)
