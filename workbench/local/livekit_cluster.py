"""Several LiveKit servers that share one Redis, behind one address."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from livekit import api

from agent.caller.access import Access
from agent.livekit_private import REGISTERED_LINE
from workbench.local.balancer import Balancer, balancer
from workbench.local.livekit_binary import find_or_build
from workbench.local.livekit_server import LiveKitServer, fresh_doors, livekit_server
from workbench.local.running import CACHE
from workbench.local.workers import Worker

_STARTED = "starting LiveKit server"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The nodes, and what stands before them."""

    nodes: tuple[LiveKitServer, ...]
    balancer: Balancer
    access: Access
    """Of the whole cluster: whoever uses it reaches one node or another."""

    async def open_room(self, room: str, node: LiveKitServer, agent_name: str = "") -> None:
        """Make a room that lives on this node; who joins it gets this agent.

        What a token asks for counts only in rooms that are made by joining.
        """
        access = node.access
        agents = [api.RoomAgentDispatch(agent_name=agent_name)] if agent_name else []
        async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
            request = api.CreateRoomRequest(name=room, node_id=node_id(node), agents=agents)
            await client.room.create_room(request)

    async def ask_for_agent(self, room: str, agent_name: str) -> None:
        """Have an agent sent into a room that is there."""
        access = self.access
        async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
            request = api.CreateAgentDispatchRequest(room=room, agent_name=agent_name)
            await client.agent_dispatch.create_dispatch(request)

    def workers_of(self, node: LiveKitServer, workers: Sequence[Worker]) -> list[Worker]:
        """Those of the workers whose last registration was with this node."""
        told = "\n".join(node.process.lines)
        return [each for each in workers if registered_as(each) in told]

    def holds(self, identity: str) -> LiveKitServer | None:
        """The node that has begun a session with this participant, the last one if several have."""
        begun = f'"participant": "{identity}"'
        found = (
            (line, node)
            for node in self.nodes
            for line in node.process.lines
            if "starting RTC session" in line and begun in line
        )
        return max(found, key=lambda each: each[0], default=("", None))[1]


def registered_as(worker: Worker) -> str:
    """The name under which a worker has registered, a new one each time."""
    lines = [line for line in worker.process.lines if REGISTERED_LINE in line]
    name: str = json.loads(lines[-1])["id"]
    return name


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
