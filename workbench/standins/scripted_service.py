"""A speech service whose far end is a script, across the stream's socket seam: no network, no wait.

The test decides what it says; it answers Terminate by itself, and keeps what it was sent.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from stt_assemblyai.client import Closed, Socket

__all__ = ["ScriptedService", "ScriptedSocket"]


class ScriptedSocket:
    """One session's socket. `say` and `drop` are the far end's side of it."""

    def __init__(self, *, ahead_seconds: float | None = None, slow: bool = False) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames: asyncio.Queue[str | bytes | Closed] = asyncio.Queue()
        self._closed: Closed | None = None
        self.slow = slow  # takes nothing at once
        self.answers_terminate = True
        self.alive_at = self._loop.time()
        self.ahead_seconds = ahead_seconds
        self.audio = bytearray()
        self.messages: list[dict[str, Any]] = []

    @property
    def is_open(self) -> bool:
        """Neither side has closed it."""
        return self._closed is None

    def say(self, frame: dict[str, Any] | str | bytes) -> None:
        """A message, or a frame as it is."""
        if self._closed is None:
            self._frames.put_nowait(json.dumps(frame) if isinstance(frame, dict) else frame)

    def drop(self, code: int = 1006, reason: str = "") -> None:
        """The connection ends, behind what has been said."""
        if self._closed is None:
            self._closed = Closed(code, reason)
            self._frames.put_nowait(self._closed)

    async def send(self, frame: str | bytes) -> None:
        if self._closed:
            raise self._closed
        self._take(frame)

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.audio += frame
            return
        self.messages.append(json.loads(frame))
        if self.messages[-1]["type"] == "Terminate" and self.answers_terminate:
            self.say({"type": "Termination", "session_duration_seconds": 1})

    def send_nowait(self, frame: str | bytes) -> bool:
        if self._closed or self.slow:
            return False
        self._take(frame)
        return True

    async def receive(self) -> str | bytes:
        if self._closed and self._frames.empty():
            raise self._closed
        frame = await self._frames.get()
        if isinstance(frame, Closed):
            raise frame
        self.alive_at = self._loop.time()
        return frame

    async def close(self) -> None:
        self.drop(1000)


class ScriptedService:
    """`dial` opens a socket and hands it to `on_open`, which may raise instead of answering."""

    def __init__(self, on_open: Callable[[ScriptedSocket], None]) -> None:
        self._on_open = on_open
        self.sockets: list[ScriptedSocket] = []
        self.dialled_at: list[float] = []

    @contextlib.asynccontextmanager
    async def dial(self, query: str) -> AsyncIterator[Socket]:
        self.dialled_at.append(asyncio.get_running_loop().time())
        socket = ScriptedSocket()
        self._on_open(socket)
        self.sockets.append(socket)
        try:
            yield socket
        finally:
            socket.drop(1000)
