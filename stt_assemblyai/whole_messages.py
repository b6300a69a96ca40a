"""A WebSocket connection that keeps whole messages until its one reader asks for them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import Event, State

__all__ = ["WholeMessages"]


class WholeMessages(ClientConnection):
    """Costs half of what the library's own `recv` does: that one copes with several readers, with
    streams, and with a peer that floods us."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._messages: deque[str | bytes] = deque()
        self._parts: list[Frame] = []  # of a message that came in several frames
        self._waiter: asyncio.Future[None] | None = None

    async def next_message(self) -> str | bytes:
        """The next message. Raises `ConnectionClosed`. Safe to cancel."""
        while not self._messages:
            if self.protocol.state is State.CLOSED:
                raise self.protocol.close_exc
            self._waiter = self.loop.create_future()
            await self._waiter
        return self._messages.popleft()

    def process_event(self, event: Event) -> None:
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        parts = [*self._parts, event]
        self._parts = [] if event.fin else parts
        if event.fin:
            data = b"".join(part.data for part in parts)
            is_text = parts[0].opcode is Opcode.TEXT
            self._messages.append(data.decode(errors="replace") if is_text else data)
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
