"""What a session received and sent, for tests to look at. Never a key."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workbench.standins.assemblyai_v3.messages import Message


@dataclass(slots=True, eq=False)
class SessionRecord:
    """One connection, from the first byte on."""

    query: list[tuple[str, str]]
    session_id: str | None = None
    audio_bytes: int = 0
    """Received; `audio_ms` counts what has been processed."""
    audio_ms: float = 0.0
    received: list[Message] = field(default_factory=list)
    """Text messages, in order; what is no JSON object stands as {"type": None}."""
    sent: list[Message] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    """When each of them was, by the monotonic clock, in seconds."""
    frame_durations_ms: Counter[float] = field(default_factory=Counter)
    close_code: int | None = None
    is_closed: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def was_terminated(self) -> bool:
        """Whether the client said Terminate."""
        return any(message.get("type") == "Terminate" for message in self.received)

    def turns(self, *, ended_only: bool = False) -> list[Message]:
        """The Turn messages that were sent."""
        turns = [message for message in self.sent if message.get("type") == "Turn"]
        return [turn for turn in turns if turn["end_of_turn"]] if ended_only else turns

    async def until(self, condition: Callable[["SessionRecord"], bool]) -> None:
        """Waits until this is so; the deadline is the caller's."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()

    def touch(self) -> None:
        """Something has changed."""
        self._changed.set()

    def as_json(self) -> dict[str, Any]:
        """For the control address; what was said is left out."""
        return {
            "session_id": self.session_id,
            "query": self.query,
            "audio_bytes": self.audio_bytes,
            "audio_ms": self.audio_ms,
            "received_types": [message.get("type") for message in self.received],
            "sent_types": [message.get("type") for message in self.sent],
            "frame_durations_ms": {str(ms): n for ms, n in self.frame_durations_ms.items()},
            "was_terminated": self.was_terminated,
            "is_closed": self.is_closed,
            "close_code": self.close_code,
        }
