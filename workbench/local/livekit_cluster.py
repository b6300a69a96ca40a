"""Several LiveKit servers that share one Redis, behind one address."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from livekit import api

from agent.caller.access import Access
from workbench.local.balancer import Balancer, balancer
from workbench.local.livekit_binary import find_or_build
from workbench.local.livekit_server import LiveKitServer, fresh_doors, livekit_server
from workbench.local.running import CACHE

_STARTED = "starting LiveKit server"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The nodes, and what stands before them."""

    nodes: tuple[LiveKitServer, ...]
    balancer: Balancer
    access: Access
    """Of the whole cluster: whoever uses it reaches one node or another."""

    async def open_room(self, room: str, node: LiveKitServer) -> None:
        """Make a room that lives on this node."""
        access = node.access
        async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
            request = api.CreateRoomRequest(name=room, node_id=node_id(node))
            await client.room.create_room(request)


def node_id(node: LiveKitServer) -> str:
    """The name under which a node is known to the others; a new one with each start."""
    line = next(line for line in node.process.lines if _STARTED in line)
    name: str = json.loads(line[line.index("{") :])["nodeID"]
    return name


@asynccontextmanager
async def livekit_cluster(logs: Path, redis_url: str, *, count: int = 2) -> AsyncIterator[Cluster]:
    """This many nodes behind one address, until the context is left.

    Raises NoLiveKitServerError, ProcessDiedError, WaitedTooLongError.
    """
    program = await find_or_build(CACHE, print)
    secret = fresh_doors().api_secret
    async with AsyncExitStack() as stack:
        nodes: list[LiveKitServer] = []
        for number in range(1, count + 1):
            doors = replace(fresh_doors(), api_secret=secret)
            log = logs / f"livekit {number}.log"
            node = livekit_server(program, log, doors=doors, redis_url=redis_url)
            nodes.append(await stack.enter_async_context(node))
        before = await stack.enter_async_context(balancer([each.doors.port for each in nodes]))
        access = replace(nodes[0].access, url=f"ws://127.0.0.1:{before.port}")
        yield Cluster(tuple(nodes), before, access)
