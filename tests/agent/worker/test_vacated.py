"""Who comes back into a room that its agent has just left. Time is virtual."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import api
from livekit.agents.job import RunningJobInfo
from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need
from agent.call.people.participants import AgentRole
from agent.room_names import Attribute
from agent.worker.replacing import Replacing
from agent.worker.vacated import NOTICE_SECONDS, WATCH_SECONDS, Vacated

pytestmark = pytest.mark.looptime

CALLER = models.ParticipantInfo(
    identity="caller", permission=models.ParticipantPermission(can_publish=True)
)
OBSERVER = models.ParticipantInfo(identity="observer")
AGENT = models.ParticipantInfo(
    identity="agent",
    kind=models.ParticipantInfo.AGENT,
    attributes={Attribute.ROLE: AgentRole.ANSWERS},
)


GHOST = models.ParticipantInfo(
    identity="agent of the call", kind=models.ParticipantInfo.AGENT, attributes=AGENT.attributes
)


class LiveKit:
    """One room and its requests; it counts how often it is asked who is there."""

    def __init__(self) -> None:
        self.room = self.agent_dispatch = self
        self.sid = "RM_1"
        self.participants: list[models.ParticipantInfo] = []
        self.dispatches = [agent_dispatch.AgentDispatch(id="first")]
        self.asked_at: list[float] = []
        self.looks = 0
        self.failures = 0
        self.removed: list[str] = []
        self.is_faster = self.is_gone = False

    async def list_participants(self, _: object) -> Any:
        self.looks += 1
        if self.is_gone:
            raise api.TwirpError("not_found", "no such room", status=404)
        if self.failures:
            self.failures -= 1
            raise TimeoutError
        return SimpleNamespace(participants=self.participants)

    async def remove_participant(self, who: api.RoomParticipantIdentity) -> None:
        if self.is_faster:
            raise api.TwirpError("not_found", "no such participant", status=404)
        self.removed.append(who.identity)
        (found,) = (each for each in self.participants if each.identity == who.identity)
        self.participants.remove(found)

    async def list_rooms(self, _: object) -> Any:
        return SimpleNamespace(rooms=[models.Room(sid=self.sid, name="room")])

    async def list_dispatch(self, _: str) -> list[agent_dispatch.AgentDispatch]:
        return self.dispatches

    async def create_dispatch(self, _: object) -> None:
        self.asked_at.append(asyncio.get_running_loop().time())
        self.participants = [*self.participants, AGENT]


def running_job() -> RunningJobInfo:
    room = SimpleNamespace(name="room", sid="RM_1")
    job = SimpleNamespace(id="AJ_1", dispatch_id="first", room=room)
    accepted = SimpleNamespace(identity="agent of the call")
    return cast("RunningJobInfo", SimpleNamespace(job=job, accept_arguments=accepted))


async def watched(livekit: LiveKit, *, seconds: float = WATCH_SECONDS + 10) -> None:
    """The call ends at second 1; let the worker watch for so long."""
    worker = SimpleNamespace(active_jobs=[running_job()])
    loop = asyncio.get_running_loop()
    loop.call_at(loop.time() + 1, worker.active_jobs.clear)
    replacing = Replacing(cast("api.LiveKitAPI", cast("Any", livekit)), Need())
    watching = Vacated(worker, replacing).run()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watching, seconds)


def comes(livekit: LiveKit, *who: models.ParticipantInfo, at: float) -> None:
    loop = asyncio.get_running_loop()
    loop.call_at(loop.time() + at, livekit.participants.extend, who)


@pytest.mark.parametrize("back_at", [0.5, 1.0, 2.0, 5.0, 15.0])
async def test_who_comes_back_is_sent_an_agent_within_two_seconds_of_it(back_at: float) -> None:
    livekit = LiveKit()
    comes(livekit, CALLER, at=back_at)
    await watched(livekit)
    (asked_at,) = livekit.asked_at
    assert asked_at <= max(back_at, 1.0) + 2.0


async def test_a_caller_who_is_back_before_the_agent_is_gone_is_sent_another_one() -> None:
    livekit = LiveKit()
    livekit.participants = [CALLER]
    await watched(livekit)
    assert len(livekit.asked_at) == 1


async def test_nobody_is_sent_to_who_only_listens() -> None:
    livekit = LiveKit()
    comes(livekit, OBSERVER, at=2.0)
    await watched(livekit)
    assert livekit.asked_at == []


async def test_a_new_room_of_the_same_name_is_left_to_the_server_which_asks_by_itself() -> None:
    livekit = LiveKit()
    livekit.sid = "RM_2"
    comes(livekit, CALLER, at=2.0)
    await watched(livekit)
    assert livekit.asked_at == []


@pytest.mark.parametrize("with_caller", [True, False])
async def test_an_agent_that_died_is_removed_and_replaced_for_a_caller(with_caller: bool) -> None:
    livekit = LiveKit()
    livekit.participants = [CALLER, GHOST] if with_caller else [GHOST]
    await watched(livekit)
    assert GHOST not in livekit.participants
    assert len(livekit.asked_at) == with_caller
    assert all(at < 2.0 for at in livekit.asked_at)


async def test_an_agent_that_is_on_its_way_out_is_not_taken_for_dead() -> None:
    livekit = LiveKit()
    livekit.participants = [CALLER, GHOST]
    loop = asyncio.get_running_loop()
    loop.call_at(loop.time() + 1 + NOTICE_SECONDS, livekit.participants.remove, GHOST)
    loop.call_at(loop.time() + 1 + NOTICE_SECONDS, livekit.participants.remove, CALLER)
    await watched(livekit)
    assert livekit.removed == []
    assert livekit.asked_at == []


async def test_an_agent_whom_another_worker_removed_is_replaced_by_that_one() -> None:
    livekit = LiveKit()
    livekit.participants = [CALLER, GHOST]
    livekit.is_faster = True
    await watched(livekit)
    assert livekit.asked_at == []


async def test_who_comes_where_an_agent_died_alone_is_sent_another_one() -> None:
    livekit = LiveKit()
    livekit.participants = [GHOST]
    comes(livekit, CALLER, at=4.0)
    await watched(livekit)
    (asked_at,) = livekit.asked_at
    assert asked_at <= 6.0


async def test_a_room_that_is_gone_is_watched_no_longer() -> None:
    livekit = LiveKit()
    livekit.is_gone = True
    await watched(livekit)
    assert livekit.looks == 1


async def test_a_server_that_does_not_answer_is_asked_again() -> None:
    livekit = LiveKit()
    livekit.failures = 3
    comes(livekit, CALLER, at=1.0)
    await watched(livekit)
    assert len(livekit.asked_at) == 1


async def test_an_empty_room_costs_few_requests() -> None:
    livekit = LiveKit()
    await watched(livekit)
    assert livekit.looks < 30
