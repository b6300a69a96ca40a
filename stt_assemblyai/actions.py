"""What a stream wants done, and what it goes by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.timing import Timing

if TYPE_CHECKING:
    from stt_assemblyai.events import StreamEvent
    from stt_assemblyai.options import SessionOptions

__all__ = ["Action", "Close", "Connect", "Emit", "Send", "StreamConfig"]


class Connect(NamedTuple):
    """Open a connection for this session, with this query."""

    key: int
    query: str


class Send(NamedTuple):
    """Send a frame on this session's connection."""

    key: int
    frame: str | bytes


class Close(NamedTuple):
    """Close this session's connection, or stop connecting; nothing it says matters any more."""

    key: int


class Emit(NamedTuple):
    """Give this event to the stream's user."""

    event: StreamEvent


Action = Connect | Send | Close | Emit


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What a stream goes by. `options` are those in force, with all updates."""

    options: SessionOptions
    choices: TurnChoices = field(default_factory=TurnChoices)
    timing: Timing = field(default_factory=Timing)
