"""What becomes of a dead agent."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import api, rtc
from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need
from agent.call.people.participants import AgentRole
from agent.room_names import Attribute
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


class Cluster(LiveKit):
    """A room whose node has died: no server holds the ghost any more, but all list it."""

    def __init__(self, *participants: models.ParticipantInfo) -> None:
        super().__init__(*participants)
        self.fault: Exception | None = None

    async def remove_participant(self, who: api.RoomParticipantIdentity) -> None:
        raise api.TwirpError("unavailable", "no response from servers", status=503)

    async def remove_left_over(self, room: str, identity: str) -> None:
        if self.fault:
            raise self.fault
        assert (room, identity) == ("room", "ghost")
        self.participants.remove(GHOST)


def replacing_in(cluster: Cluster) -> Replacing:
    client = cast("api.LiveKitAPI", cast("Any", cluster))
    return Replacing(client, Need(), cluster.remove_left_over)


async def test_an_agent_whose_node_died_with_it_is_taken_off_the_list_and_replaced() -> None:
    cluster = Cluster(CALLER, GHOST)
    assert await replacing_in(cluster).replace("room", "ghost")
    assert cluster.participants == [CALLER]
    assert cluster.asked == ["in French"]


@pytest.mark.parametrize("fault", [rtc.ConnectError("no server"), TimeoutError()])
async def test_who_cannot_be_taken_off_the_list_yet_is_tried_again_by_who_asks(
    fault: Exception,
) -> None:
    cluster = Cluster(CALLER, GHOST)
    cluster.fault = fault
    with pytest.raises(api.TwirpError, match="no response"):
        await replacing_in(cluster).replace("room", "ghost")
    assert not cluster.asked


async def test_no_third_agent_is_asked_for_where_a_second_one_has_come() -> None:
    attributes = {Attribute.ROLE: AgentRole.ANSWERS}
    second = models.ParticipantInfo(
        identity="second", kind=models.ParticipantInfo.AGENT, attributes=attributes
    )
    livekit = LiveKit(CALLER, GHOST, second)
    assert await replacing(livekit).replace("room", "ghost")
    assert not livekit.asked
