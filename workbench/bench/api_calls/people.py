"""`python -m workbench.bench.api_calls.people`: people and agents in rooms, without any sound.

Each is a whole client of LiveKit's library: it answers RPC calls, and the server counts it. The
address of the server and its key come from LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.
"""

import asyncio
import itertools
import os
import sys

from livekit import api, rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from agent.call.people.participants import AgentRole
from agent.caller.access import Access
from agent.room_names import Attribute
from workbench.arguments import command, positive
from workbench.bench.api_calls.world import (
    AGENT_NAME,
    ALONE,
    SERVED,
    VISIT_SECONDS,
    VISITED_FROM,
    agent_in,
    room_name,
)

__all__ = ["READY"]

READY = "everybody is there"
_AT_ONCE = 4


async def join(access: Access, room: str, identity: str, *, is_agent: bool = False) -> rtc.Room:
    """One participant in a room. Raises rtc.ConnectError."""
    token = api.AccessToken(access.api_key, access.api_secret).with_identity(identity)
    if is_agent:
        shown = {Attribute.ROLE: AgentRole.ANSWERS, ATTRIBUTE_AGENT_NAME: AGENT_NAME}
        token = token.with_kind("agent").with_attributes({str(k): v for k, v in shown.items()})
    grants = api.VideoGrants(room_join=True, room=room, agent=is_agent)
    client = rtc.Room()
    options = rtc.RoomOptions(auto_subscribe=False)
    await client.connect(access.url, token.with_grants(grants).to_jwt(), options)
    return client


async def attend(access: Access, rooms: int) -> None:
    """Fill the rooms, say so, and then send a visitor a second into one of the empty rooms."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def enter(number: int, identity: str, *, is_agent: bool = False) -> rtc.Room:
        async with gate:
            return await join(access, room_name(number), identity, is_agent=is_agent)

    served = range(SERVED)
    coming = [enter(number, agent_in(number), is_agent=True) for number in served]
    coming += [enter(number, "person") for number in range(SERVED + ALONE)]
    staying = await asyncio.gather(*coming)
    print(READY, len(staying), flush=True)
    async with asyncio.TaskGroup() as tasks:
        for number in itertools.cycle(range(VISITED_FROM, rooms)):
            tasks.create_task(_visit(access, room_name(number)))
            await asyncio.sleep(1)


async def _visit(access: Access, room: str) -> None:
    visitor = await join(access, room, "visitor")
    await asyncio.sleep(VISIT_SECONDS)
    await visitor.disconnect()


def main() -> int:
    """Runs until it is ended."""
    parser = command("workbench.bench.api_calls.people", __doc__)
    parser.add_argument("--rooms", type=positive, default=2000, help="how many rooms there are")
    options = parser.parse_args()
    asked = (os.environ[f"LIVEKIT_{name}"] for name in ("URL", "API_KEY", "API_SECRET"))
    asyncio.run(attend(Access(*asked), options.rooms))
    return 0


if __name__ == "__main__":
    sys.exit(main())
