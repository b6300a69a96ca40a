"""What becomes of a dead agent."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import api
from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need
from agent.worker.replacing import Replacing

GHOST = models.ParticipantInfo(identity="ghost", kind=models.ParticipantInfo.AGENT)
CALLER = models.ParticipantInfo(
    identity="caller", permission=models.ParticipantPermission(can_publish=True)
)


class LiveKit:
    """One room."""

    def __init__(self, *participants: models.ParticipantInfo) -> None:
        self.room = self.agent_dispatch = self
        self.participants = list(participants)
        self.asked: list[str] = []

    async def list_participants(self, _: object) -> Any:
        found = list(self.participants)
        await asyncio.sleep(0)  # others come to the same conclusion meanwhile
        return SimpleNamespace(participants=found)

    async def remove_participant(self, who: api.RoomParticipantIdentity) -> None:
        if GHOST not in self.participants:
            raise api.TwirpError("not_found", "no such participant", status=404)
        self.participants.remove(GHOST)

    async def list_dispatch(self, _: str) -> list[agent_dispatch.AgentDispatch]:
        return [agent_dispatch.AgentDispatch(id="first", metadata="in French")]

    async def create_dispatch(self, request: api.CreateAgentDispatchRequest) -> None:
        self.asked.append(request.metadata)


def replacing(livekit: LiveKit) -> Replacing:
    return Replacing(cast("api.LiveKitAPI", cast("Any", livekit)), Need())


@pytest.mark.parametrize(
    ("participants", "asked"),
    [((CALLER, GHOST), ["in French"]), ((GHOST,), []), ((CALLER,), [])],
    ids=["a caller waits", "nobody is there", "it is gone"],
)
async def test_a_dead_agent_is_removed_and_a_caller_sent_another_one_of_the_same_kind(
    participants: tuple[models.ParticipantInfo, ...], asked: list[str]
) -> None:
    livekit = LiveKit(*participants)
    assert await replacing(livekit).replace("room", "ghost") is bool(asked)
    assert livekit.asked == asked
    assert GHOST not in livekit.participants


async def test_of_two_workers_that_replace_an_agent_one_asks() -> None:
    livekit = LiveKit(CALLER, GHOST)
    both = (replacing(livekit).replace("room", "ghost") for _ in range(2))
    assert await asyncio.gather(*both) == [True, True]
    assert len(livekit.asked) == 1
