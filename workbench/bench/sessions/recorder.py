"""Records what passes between our client and the service, as a `Connect` around another one."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

from stt_assemblyai.client import Closed, Socket
from stt_assemblyai.connector import Connect
from workbench.bench.sessions.recording import (
    Dialled,
    PeerClosed,
    Received,
    SentAudio,
    SentText,
    Step,
)
from workbench.bench.sessions.redaction import redacted

__all__ = ["Recorder"]


class Recorder:
    """`Transcriber(Recorder(dialer), ...)`; when it is done, `steps` holds all that passed.

    `keep_words` is for speech that nobody said. A connection that cannot be opened is not recorded.
    """

    def __init__(self, dial: Connect, *, keep_words: bool = False) -> None:
        self.steps: list[Step] = []
        self._dial = dial
        self._keep_words = keep_words
        self._connections = 0
        self._began_at = time.time()
        self._start = asyncio.get_running_loop().time()

    @contextlib.asynccontextmanager
    async def __call__(self, query: str) -> AsyncIterator[Socket]:
        """A connection whose traffic is written down."""
        async with self._dial(query) as socket:
            number = self._connections
            self._connections += 1
            self._add(Dialled(connection=number, at_ms=self._now_ms, query=query))
            yield _RecordedSocket(socket, self, number)

    def sent(self, number: int, frame: str | bytes) -> None:
        """The client sent this."""
        if isinstance(frame, str):
            message = self._redacted(number, frame)
            self._add(SentText(connection=number, at_ms=self._now_ms, message=message))
            return
        last, size = (self.steps[-1] if self.steps else None), len(frame)
        if isinstance(last, SentAudio) and (last.connection, last.size) == (number, size):
            self.steps[-1] = last.model_copy(update={"count": last.count + 1})
        else:
            self._add(SentAudio(connection=number, at_ms=self._now_ms, size=size))

    def received(self, number: int, frame: str | bytes) -> None:
        """The service sent this."""
        message = self._redacted(number, frame)
        self._add(Received(connection=number, at_ms=self._now_ms, message=message))

    def closed(self, number: int, closed: Closed) -> None:
        """The connection ended."""
        self._add(
            PeerClosed(
                connection=number, at_ms=self._now_ms, code=closed.code, reason=closed.reason
            )
        )

    def _redacted(self, number: int, frame: str | bytes) -> dict[str, object]:
        return redacted(
            json.loads(frame),
            began_at=self._began_at,
            session_name=f"session-{number}",
            keep_words=self._keep_words,
        )

    def _add(self, step: Step) -> None:
        self.steps.append(step)

    @property
    def _now_ms(self) -> int:
        return round((asyncio.get_running_loop().time() - self._start) * 1000)


class _RecordedSocket:
    def __init__(self, socket: Socket, recorder: Recorder, number: int) -> None:
        self._socket = socket
        self._recorder = recorder
        self._number = number
        self._left = False

    @property
    def alive_at(self) -> float:
        return self._socket.alive_at

    @property
    def ahead_seconds(self) -> float | None:
        return self._socket.ahead_seconds

    def send_nowait(self, frame: str | bytes) -> bool:
        sent = self._socket.send_nowait(frame)
        if sent:
            self._recorder.sent(self._number, frame)
        return sent

    async def send(self, frame: str | bytes) -> None:
        await self._socket.send(frame)
        self._recorder.sent(self._number, frame)

    async def receive(self) -> str | bytes:
        try:
            frame = await self._socket.receive()
        except Closed as closed:
            if not self._left:
                self._recorder.closed(self._number, closed)
            raise
        self._recorder.received(self._number, frame)
        return frame

    async def close(self) -> None:
        self._left = True
        await self._socket.close()
