"""What a session received and sent, for tests to look at. Never a key."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from workbench.loopback.assemblyai_v3.messages import Message


@dataclass(slots=True)
class SessionRecord:
    """One connection, from the first byte on."""

    query: list[tuple[str, str]]
    session_id: str | None = None
    audio_bytes: int = 0
    audio_ms: float = 0.0
    received: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    frame_durations_ms: Counter[float] = field(default_factory=Counter)
    close_code: int | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def was_terminated(self) -> bool:
        """Whether the client said Terminate."""
        return any(message.get("type") == "Terminate" for message in self.received)

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
            "is_closed": self.closed.is_set(),
            "close_code": self.close_code,
        }
