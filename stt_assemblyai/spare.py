"""A session that is opened ahead of the moment at which it takes over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Self

from stt_assemblyai.client import Closed, PromptSocket, Socket
from stt_assemblyai.errors import NetworkError
from stt_assemblyai.leg import Timing
from stt_assemblyai.messages import Begin, ServerError, Terminate, decode, encode
from stt_assemblyai.options import SessionOptions

__all__ = ["Spare"]


class Spare:
    """A `Socket` whose Begin has come already; whoever takes over receives that frame first."""

    def __init__(
        self,
        socket: Socket,
        options: SessionOptions,
        first: str | bytes,
        stack: contextlib.AsyncExitStack,
    ) -> None:
        self.options = options
        self._socket = socket
        self._first: str | bytes | None = first
        self._stack = stack

    @classmethod
    async def open(
        cls,
        dial: Callable[[str], contextlib.AbstractAsyncContextManager[Socket]],
        options: SessionOptions,
        timing: Timing,
    ) -> Self:
        """Raises `AssemblyAIError` or `Closed` when the service does not begin a session."""
        async with contextlib.AsyncExitStack() as stack:
            socket = await stack.enter_async_context(dial(options.query()))
            try:
                async with asyncio.timeout(timing.begin_timeout_seconds):
                    first = await socket.receive()
            except TimeoutError:
                raise NetworkError("The session did not begin") from None
            message = decode(first)
            if not isinstance(message, Begin):
                text = message.error if isinstance(message, ServerError) else ""
                raise NetworkError("The session did not begin", server_text=text)
            return cls(socket, options, first, stack.pop_all())

    @property
    def alive_at(self) -> float:
        return self._socket.alive_at

    async def send(self, frame: str | bytes) -> None:
        await self._socket.send(frame)

    def send_nowait(self, frame: bytes) -> bool:
        return isinstance(self._socket, PromptSocket) and self._socket.send_nowait(frame)

    async def receive(self) -> str | bytes:
        first, self._first = self._first, None
        return await self._socket.receive() if first is None else first

    async def close(self) -> None:
        await self._socket.close()

    async def aclose(self) -> None:
        """Close the connection; one that nobody took over is terminated, for the bill's sake."""
        if self._first is not None:
            with contextlib.suppress(Closed):
                await self._socket.send(encode(Terminate()))
        await self._stack.aclose()
