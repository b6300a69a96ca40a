"""One request and its answer: what is recorded of them, and how an answer is streamed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from workbench.standins.openai_v1.conversation import content_text
from workbench.standins.openai_v1.faults import Fault


@dataclass(slots=True)
class RequestRecord:
    """A request, for tests to look at. Never a key."""

    endpoint: str
    body: dict[str, Any]
    status: int | None = None
    bytes_sent: int = 0
    pieces_sent: int = 0
    """Of a stream: chunks of a chat, one for each word and a few more; pieces of sound."""
    began_at: float = field(default_factory=time.monotonic)
    first_byte_at: float | None = None
    """Of the answer's content; both by the monotonic clock, in seconds."""
    is_complete: bool = False
    """False as long as it runs, and for ever if the client went away before the end."""
    closed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def as_json(self) -> dict[str, Any]:
        """For the control address."""
        return {
            "endpoint": self.endpoint,
            "body": self.body,
            "status": self.status,
            "bytes_sent": self.bytes_sent,
            "is_complete": self.is_complete,
            "is_closed": self.closed.is_set(),
        }


@dataclass(slots=True)
class Exchange:
    """A request on its way to an answer."""

    request: web.Request
    body: dict[str, Any]
    record: RequestRecord
    fault: Fault | None

    @property
    def about(self) -> str:
        """All that a model reads of it: the conversation, or the text that is to be spoken."""
        messages = self.body.get("messages")
        if isinstance(messages, list):
            return "\n".join(content_text(message) for message in messages)
        return str(self.body.get("input", ""))

    async def stream(self, content_type: str, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
        """Sends the pieces as they come; a fault may break it off, or stall it."""
        fault = self.fault
        response = web.StreamResponse(headers={"Content-Type": content_type})
        response.enable_chunked_encoding()
        await response.prepare(self.request)
        count = 0
        async for piece in pieces:
            if fault and count == fault.stall_after_chunks:
                await asyncio.Event().wait()
            if fault and count == fault.break_after_chunks:
                if self.request.transport is not None:
                    self.request.transport.abort()
                raise ConnectionResetError("broken off by a fault")
            if piece:
                await response.write(piece)
                self.record.first_byte_at = self.record.first_byte_at or time.monotonic()
                self.record.bytes_sent += len(piece)
                self.record.pieces_sent += 1
                count += 1
        await response.write_eof()
        return response


def server_sent_event(event: dict[str, Any]) -> bytes:
    """One event of a stream."""
    return f"data: {json.dumps(event)}\n\n".encode()
