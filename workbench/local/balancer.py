"""A TCP load balancer on loopback: what stands before the nodes of a LiveKit cluster.

Like a Kubernetes service it sends each new connection to the next node that answers `GET /` with
200, and leaves alone the connections that there are: those to a frozen node hang, those to a dead
one break.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from agent.tasks import Tasks

PROBE_SECONDS = 1.0
_CHUNK_BYTES = 1 << 16


@dataclass(slots=True)
class Balancer:
    """Where it listens, and to which ports of loopback it sends connections."""

    port: int
    targets: Sequence[int]
    only: int | None = None
    """While this is set, new connections go to this port alone."""
    ready: set[int] = field(default_factory=set)
    """The targets that answered their last probe."""

    def candidates(self, turn: int) -> list[int]:
        """The ports to try for the connection of this number, the best one first."""
        if self.only is not None:
            return [self.only]
        count = len(self.targets)
        ordered = [self.targets[(turn + place) % count] for place in range(count)]
        return [each for each in ordered if each in self.ready]


@asynccontextmanager
async def balancer(targets: Sequence[int]) -> AsyncIterator[Balancer]:
    """Balance over these ports until the context is left; all have been probed at its start."""
    made = Balancer(0, targets)
    turns = itertools.count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in made.candidates(next(turns)):
            with suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", port)
                await _connect((reader, writer), there)
                break
        writer.close()

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PROBE_SECONDS)) as http:
        await _probe(http, made)
        async with Tasks() as tasks:
            tasks.start(_keep_probing(http, made), name="probes of the nodes")

            def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                tasks.start(serve(reader, writer), name="balanced connection")

            server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
            made.port = server.sockets[0].getsockname()[1]
            try:
                yield made
            finally:
                server.close()


async def _keep_probing(http: aiohttp.ClientSession, made: Balancer) -> None:
    while True:
        await asyncio.sleep(PROBE_SECONDS)
        await _probe(http, made)


async def _probe(http: aiohttp.ClientSession, made: Balancer) -> None:
    async def answers(port: int) -> bool:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with http.get(f"http://127.0.0.1:{port}/") as response:
                return response.status == 200
        return False

    found = await asyncio.gather(*map(answers, made.targets))
    made.ready = {port for port, is_ready in zip(made.targets, found, strict=True) if is_ready}


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(here: _Ends, there: _Ends) -> None:
    """Carry bytes both ways until either end is closed; then close both."""
    ways = [
        asyncio.ensure_future(_carry(here[0], there[1])),
        asyncio.ensure_future(_carry(there[0], here[1])),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        for _, writer in (here, there):
            writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
