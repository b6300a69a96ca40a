"""A network without sockets, on which a provider answers as it is told, for clients of httpx."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import httpx2


class End(Enum):
    """How a body ends."""

    WHOLE = auto()
    CUT = auto()
    HANGS = auto()
    """Nothing more comes, and the connection stays."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request is answered with."""

    pieces: tuple[tuple[float, bytes], ...] = ()
    """What is sent, each behind a delay in seconds."""
    content_type: str = "text/event-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    """To the headers."""
    end: End = End.WHOLE
    refuses_connection: bool = False
    is_half_open: bool = False
    """On a connection that was used before nothing arrives and nothing comes back; on a new one
    all is well."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived."""

    path: str
    body: dict[str, Any]
    at_seconds: float
    is_reused: bool


class Network:
    """Where one provider is. `Clients.of(settings, network.pool)` reaches it, and nobody else."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer = answer
        self.requests: list[Asked] = []

    def pool(self) -> httpx2.AsyncBaseTransport:
        """A pool of connections to it; each has one, which it keeps."""
        return _Pool(self)


class _Pool(httpx2.AsyncBaseTransport):
    def __init__(self, network: Network) -> None:
        self._network = network
        self._is_connected = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":  # a plugin opens a connection before it is needed
            self._keep()
            return httpx2.Response(200, json={})
        now = asyncio.get_running_loop().time()
        asked = Asked(request.url.path, json.loads(request.content), now, self._is_connected)
        await self._trace(request)
        self._is_connected = False  # until the response has come as a whole
        reply = self._network.answer(asked)
        self._network.requests.append(asked)
        if reply.refuses_connection:
            raise httpx2.ConnectError("connection refused")
        limit = request.extensions["timeout"]["read"]
        hangs = reply.is_half_open and asked.is_reused
        try:
            async with asyncio.timeout(limit):
                await asyncio.sleep(1e6 if hangs else reply.delay_seconds)
        except TimeoutError:
            raise httpx2.ReadTimeout("no answer") from None
        return httpx2.Response(
            reply.status,
            headers={"content-type": reply.content_type, **reply.headers},
            stream=_Body(reply, limit, self._keep),
        )

    def _keep(self) -> None:
        self._is_connected = True

    async def _trace(self, request: httpx2.Request) -> None:
        trace = request.extensions["trace"]
        if not self._is_connected:
            await trace("connection.connect_tcp.started", {})
        await trace("http11.send_request_headers.started", {})


class _Body(httpx2.AsyncByteStream):
    def __init__(self, reply: Reply, limit_seconds: float, keep: Callable[[], None]) -> None:
        self._reply = reply
        self._limit_seconds = limit_seconds
        self._keep = keep

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for delay, piece in self._reply.pieces:
            await self._wait(delay)
            yield piece
        if self._reply.end is End.HANGS:
            await self._wait(1e6)
        if self._reply.end is End.CUT:
            raise httpx2.RemoteProtocolError("peer closed connection without sending its body")
        self._keep()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(self._limit_seconds):
                await asyncio.sleep(seconds)
        except TimeoutError:
            raise httpx2.ReadTimeout("nothing more") from None
