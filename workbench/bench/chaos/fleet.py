"""Several workers of one name under one LiveKit server, and more of them as they go.

Or under two LiveKit servers that share a Redis with the workers, behind one address.
"""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.local.livekit_cluster import livekit_cluster
from workbench.local.livekit_server import Access, LiveKitServer
from workbench.local.redis_server import RedisServer, redis_server
from workbench.local.running import PROJECT
from workbench.local.standins_process import stand_ins
from workbench.local.workers import Places, Worker, own_livekit

AGENT_NAME = "chaos"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the workers stand on."""

    nodes: tuple[LiveKitServer, ...]
    access: Access
    """Of all nodes together."""
    redis: RedisServer | None = None


class Fleet:
    """The workers that are there at this moment."""

    def __init__(
        self,
        ground: Ground,
        places: Places,
        stack: AsyncExitStack,
        settings: Mapping[str, str],
        program: Path,
    ) -> None:
        self.ground = ground
        self.places = places
        self.workers: list[Worker] = []
        self._stack = stack
        self._settings = settings
        self._program = program
        self._started = 0

    @property
    def server(self) -> LiveKitServer:
        """The LiveKit server, or the first of them."""
        return self.ground.nodes[0]

    async def add(self) -> None:
        """Start one more worker; returns once it takes calls."""
        self._started += 1
        settings = {
            "AGENT_NAME": AGENT_NAME,
            "AGENT_RECORD_DIR": str(self.places.logs / "records"),
            "AGENT_DRAIN_SECONDS": "30",
            **({"AGENT_REDIS_URL": self.ground.redis.url} if self.ground.redis else {}),
            **self._settings,
        }
        name = f"worker {self._started}"
        worker = Worker(self.places, name, settings, "start", program=self._program)
        self.workers.append(await self._stack.enter_async_context(worker.taking_calls()))

    def jobs(self) -> list[int]:
        """The processes of the calls in progress."""
        found: dict[str, int] = {}
        for worker in self.workers:
            for line in worker.process.lines:
                if '"call started"' in line or '"call ended"' in line:
                    told = json.loads(line)
                    found.pop(told["room"], None)
                    if told["message"] == "call started":
                        found[told["room"]] = told["pid"]
        return list(found.values())


@asynccontextmanager
async def fleet(
    workers: int,
    logs: Path,
    settings: Mapping[str, str],
    program: Path = PROJECT / "agent.py",
    *,
    nodes: int = 1,
) -> AsyncIterator[Fleet]:
    """LiveKit, the stand-ins and this many workers, until the context is left.

    With one node there is no Redis.
    """
    async with (
        _ground(logs, nodes) as ground,
        stand_ins(logs / "stand-ins.log") as (stood_in, _),
        AsyncExitStack() as stack,
    ):
        made = Fleet(ground, Places(ground.access, stood_in, logs), stack, settings, program)
        for _ in range(workers):  # all at once, they would keep each other from starting
            await made.add()
        yield made


@asynccontextmanager
async def _ground(logs: Path, nodes: int) -> AsyncIterator[Ground]:
    if nodes == 1:
        async with own_livekit(logs) as server:
            yield Ground((server,), server.access)
        return
    # LiveKit's nodes need what they wrote there: without it they look for a room on any node.
    lasting = ("--appendonly", "yes")
    async with (
        redis_server(logs / "redis", password=secrets.token_hex(16), options=lasting) as redis,
        livekit_cluster(logs, redis.url, count=nodes) as cluster,
    ):
        yield Ground(cluster.nodes, cluster.access, redis)
