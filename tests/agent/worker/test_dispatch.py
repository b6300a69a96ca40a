"""What workers do together about rooms in which somebody waits. Time is virtual."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import api
from livekit.protocol import agent as jobs
from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need
from agent.call.people.participants import AgentRole
from agent.fleet.duty import Duty
from agent.fleet.membership import Membership
from agent.fleet.presence import Agent, Presence, Roster
from agent.room_names import HOLD_IDENTITY, Attribute
from agent.worker.dispatch import look_after
from agent.worker.liveness import Liveness
from agent.worker.replacing import Replacing
from agent.worker.server import Worker
from config.load import load_settings
from config.settings import Settings

COMPANY = models.ParticipantInfo(identity=HOLD_IDENTITY, kind=models.ParticipantInfo.AGENT)
CALLER = models.ParticipantInfo(
    identity="caller",
    kind=models.ParticipantInfo.STANDARD,
    permission=models.ParticipantPermission(can_publish=True),
)
CALLERS = Need()
TRANSCRIBER = Need("transcriber", AgentRole.TRANSCRIBES, is_unasked=True)


class LiveKit:
    """One room on a server, as its API shows it; whoever is asked for comes a second later."""

    def __init__(self, *dispatches: agent_dispatch.AgentDispatch) -> None:
        self.participants = [CALLER]
        # The server's own request, where nobody else has asked.
        self.dispatches = list(dispatches) or [agent_dispatch.AgentDispatch(id="own")]
        self.asked: list[api.CreateAgentDispatchRequest] = []
        self.room = self.agent_dispatch = self
        self._numbers = itertools.count(1)

    async def list_rooms(self, _: object) -> Any:
        room = models.Room(sid="RM", name="room", num_participants=len(self.participants))
        return SimpleNamespace(rooms=[room])

    async def list_participants(self, _: object) -> Any:
        return SimpleNamespace(participants=list(self.participants))

    async def list_dispatch(self, _: str) -> list[agent_dispatch.AgentDispatch]:
        return list(self.dispatches)

    async def create_dispatch(self, request: api.CreateAgentDispatchRequest) -> None:
        self.asked.append(request)
        number = next(self._numbers)
        self.dispatches.append(agent_dispatch.AgentDispatch(id=str(number)))
        asyncio.get_running_loop().call_later(1, self.come, f"agent {number}")

    async def remove_participant(self, who: api.RoomParticipantIdentity) -> None:
        if who.identity not in [each.identity for each in self.participants]:
            raise api.TwirpError("not_found", "no such participant", status=404)
        self.participants = [each for each in self.participants if each.identity != who.identity]

    def come(self, identity: str) -> None:
        agent = models.ParticipantInfo(
            identity=identity,
            kind=models.ParticipantInfo.AGENT,
            attributes={Attribute.ROLE: AgentRole.ANSWERS},
        )
        self.participants.append(agent)


class Mortal:
    """Agents of which these are dead."""

    def __init__(self, *dead: str) -> None:
        self.dead = dead

    async def is_dead(self, _room: str, identity: str, _questions: int) -> bool:
        await asyncio.sleep(3)
        return identity in self.dead


@pytest.fixture
def settings() -> Settings:
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret", **key}
    return load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})


async def watched(
    livekit: LiveKit,
    settings: Settings,
    *places: int,
    dead: str = "",
    seconds: float = 60,
    need: Need = CALLERS,
) -> list[api.CreateAgentDispatchRequest]:
    """Let a worker with each of these places look; whom they asked for within the time."""
    async with asyncio.TaskGroup() as tasks:
        for free in places:
            worker = worker_with(free)
            replacing = Replacing(cast("api.LiveKitAPI", livekit), need)
            mortal = cast("Liveness", Mortal(dead))
            looking = tasks.create_task(look_after(settings, worker, replacing, mortal))
            asyncio.get_running_loop().call_later(seconds, looking.cancel)
    return livekit.asked


def worker_with(places: int, *jobs: Any) -> Worker:
    """A worker that knows of no other."""
    fleet = Membership(None, "", "", lambda: (0, ()))
    found = SimpleNamespace(places=places, active_jobs=list(jobs), fleet=fleet)
    return cast("Worker", found)


@pytest.mark.looptime
async def test_several_workers_send_a_waiting_caller_one_agent(settings: Settings) -> None:
    assert len(await watched(LiveKit(), settings, 4, 4, 4)) == 1


@pytest.mark.looptime
async def test_workers_without_a_place_send_nobody(settings: Settings) -> None:
    assert await watched(LiveKit(), settings, 0, 0) == []


@pytest.mark.looptime
async def test_a_worker_without_a_place_leaves_it_to_one_that_has(settings: Settings) -> None:
    assert len(await watched(LiveKit(), settings, 0, 1)) == 1


@pytest.mark.looptime
@pytest.mark.parametrize(("told", "asked"), [(True, 1), (False, 0)])
async def test_a_caller_who_was_told_that_nobody_is_free_is_answered_as_soon_as_there_is_room(
    settings: Settings, told: bool, asked: int
) -> None:
    livekit = LiveKit(agent_dispatch.AgentDispatch(id="first"))
    if told:
        livekit.participants.append(COMPANY)
    patient = settings.model_copy(
        update={"agent": settings.agent.model_copy(update={"rescue_seconds": 600})}
    )
    assert len(await watched(livekit, patient, 1, seconds=10)) == asked


@pytest.mark.looptime
async def test_a_dead_agent_is_replaced_once_and_the_other_told_the_same(
    settings: Settings,
) -> None:
    state = agent_dispatch.AgentDispatchState(
        jobs=[jobs.Job(state=jobs.JobState(status=jobs.JS_RUNNING))]
    )
    first = agent_dispatch.AgentDispatch(id="first", metadata="in French", state=state)
    livekit = LiveKit(first)
    livekit.come("agent of a machine that is gone")
    asked = await watched(livekit, settings, 4, 4, 4, dead="agent of a machine that is gone")
    assert [each.metadata for each in asked] == ["in French"]
    assert [each.identity for each in livekit.participants] == ["caller", "agent 1"]


@pytest.mark.looptime
async def test_an_agent_that_lives_stays(settings: Settings) -> None:
    livekit = LiveKit()
    livekit.come("agent of another worker")
    assert await watched(livekit, settings, 4, 4) == []


@pytest.mark.looptime
async def test_a_transcriber_for_which_nobody_asked_comes_within_seconds(
    settings: Settings,
) -> None:
    asked = await watched(LiveKit(), settings, 4, 4, seconds=4, need=TRANSCRIBER)
    assert {each.agent_name for each in asked} == {"transcriber"}


class FarRooms(LiveKit):
    """Many rooms, and one more that is younger; the first is on a server that does not answer."""

    async def list_rooms(self, _: object) -> Any:
        names = ["gone", *(f"room {number}" for number in range(100)), "last"]
        rooms = [models.Room(sid=each, name=each, num_participants=1) for each in names]
        return SimpleNamespace(rooms=rooms)

    async def list_participants(self, request: api.ListParticipantsRequest) -> Any:
        if request.room == "gone":
            await asyncio.sleep(10)
            raise TimeoutError
        await asyncio.sleep(0.5)
        waits = request.room == "last" and not self.asked
        return SimpleNamespace(participants=[CALLER] if waits else [])


@pytest.mark.looptime
async def test_a_room_that_cannot_be_looked_into_holds_up_no_other(settings: Settings) -> None:
    asked = await watched(FarRooms(), settings, 4)
    assert [each.room for each in asked] == ["last"]


class Counted(LiveKit):
    """A server that counts how often its rooms are listed."""

    def __init__(self, *participants: models.ParticipantInfo) -> None:
        super().__init__()
        self.participants = list(participants)
        self.listed = 0

    async def list_rooms(self, request: object) -> Any:
        self.listed += 1
        return await super().list_rooms(request) if self.participants else SimpleNamespace(rooms=[])


@pytest.mark.looptime
async def test_a_worker_looks_less_often_while_nothing_happens(settings: Settings) -> None:
    idle, with_a_caller = Counted(), Counted(CALLER)
    with_a_caller.dispatches = [agent_dispatch.AgentDispatch(id="first")]
    await watched(idle, settings, 4, seconds=60)
    await watched(with_a_caller, settings, 0, seconds=60)
    assert idle.listed <= 60 / 3 + 3
    assert with_a_caller.listed >= 55


@pytest.mark.looptime
async def test_a_worker_that_starts_again_takes_the_callers_of_its_dead_agents_back_at_once(
    settings: Settings,
) -> None:
    state = agent_dispatch.AgentDispatchState(jobs=[jobs.Job()])
    livekit = LiveKit(agent_dispatch.AgentDispatch(id="first", state=state))
    livekit.come("agent of the worker before")
    # A look, three seconds of unanswered questions, and what lies between.
    asked = await watched(livekit, settings, 1, dead="agent of the worker before", seconds=4.5)
    assert len(asked) == 1


class Silent(LiveKit):
    """A server whose listing of rooms never comes."""

    async def list_rooms(self, _: object) -> Any:
        await asyncio.sleep(5)  # the deadline of each call
        raise TimeoutError


@pytest.mark.looptime
async def test_a_listing_that_never_comes_holds_up_no_replacement_and_is_said_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    livekit = Silent()
    livekit.come("ours")
    info = SimpleNamespace(
        job=SimpleNamespace(id="job", room=SimpleNamespace(name="room")),
        accept_arguments=SimpleNamespace(identity="ours"),
    )
    worker = worker_with(4, info)
    asyncio.get_running_loop().call_later(3, cast("Any", worker.active_jobs).clear)
    async with asyncio.TaskGroup() as tasks:
        replacing = Replacing(cast("Any", livekit), Need.to_answer(settings.agent))
        mortal: Any = Mortal()
        looking = tasks.create_task(look_after(settings, worker, replacing, mortal))
        asyncio.get_running_loop().call_later(60, looking.cancel)
        await asyncio.sleep(10)
        assert len(livekit.asked) == 1
    said = [each.message for each in caplog.records]
    assert said == ["an agent died in its call", "cannot look for waiting callers"]


class Fleet(Membership):
    """One of several workers, as if Redis had said so."""

    def __init__(self, duty: Duty, *agents: Agent, places: int = 0) -> None:
        super().__init__(None, "", "", lambda: (0, ()))
        self.now = duty
        self.agents: tuple[Agent, ...] = agents
        self.places = places

    @property
    def duty(self) -> Duty:
        return self.now

    @property
    def others(self) -> Roster | None:
        roster = Roster()
        there = Presence(worker="another", beat=1, places=self.places, agents=self.agents)
        roster.read([there], 0.0)
        return roster if self.now is Duty.LEADS else None


GHOST = Agent(room="room", identity="ghost")


@asynccontextmanager
async def led(livekit: LiveKit, settings: Settings, fleet: Fleet) -> AsyncIterator[None]:
    """A worker of this fleet, without a call or a place of its own; the ghost is dead."""
    worker = cast("Worker", SimpleNamespace(places=0, active_jobs=[], fleet=fleet))
    replacing = Replacing(cast("api.LiveKitAPI", livekit), CALLERS)
    mortal = cast("Liveness", Mortal(GHOST.identity))
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(look_after(settings, worker, replacing, mortal))
        yield
        looking.cancel()


@pytest.mark.looptime
async def test_a_worker_that_follows_makes_no_request_before_it_leads(settings: Settings) -> None:
    livekit, fleet = Counted(CALLER), Fleet(Duty.FOLLOWS, places=1)
    async with led(livekit, settings, fleet):
        await asyncio.sleep(60)
        assert livekit.listed == 0
        fleet.now = Duty.LEADS
        await asyncio.sleep(settings.agent.rescue_seconds + 2)
    assert len(livekit.asked) == 1


@pytest.mark.looptime
async def test_the_places_of_all_workers_count_for_the_one_that_leads(settings: Settings) -> None:
    livekit = LiveKit()
    async with led(livekit, settings, Fleet(Duty.LEADS, places=1)):
        await asyncio.sleep(settings.agent.rescue_seconds + 2)
    assert len(livekit.asked) == 1


@pytest.mark.looptime
async def test_an_agent_whose_worker_is_there_is_not_asked_and_one_whose_worker_is_gone_is(
    settings: Settings,
) -> None:
    livekit, fleet = LiveKit(), Fleet(Duty.LEADS, GHOST, places=1)
    livekit.come(GHOST.identity)
    async with led(livekit, settings, fleet):
        await asyncio.sleep(60)
        assert livekit.asked == []
        fleet.agents = ()
        await asyncio.sleep(4)
    assert [each.identity for each in livekit.participants][:1] == ["caller"]
    assert len(livekit.asked) == 1


@pytest.mark.looptime
async def test_a_caller_whom_a_webhook_names_is_served_though_rooms_are_listed_rarely(
    settings: Settings,
) -> None:
    livekit, fleet = Counted(), Fleet(Duty.LEADS, places=1)
    async with led(livekit, settings, fleet):
        await asyncio.sleep(3)
        before = livekit.listed
        livekit.participants.append(CALLER)
        for _ in range(14):
            fleet.note_change("room")
            await asyncio.sleep(0.5)
        assert livekit.listed <= before + 1
    assert len(livekit.asked) == 1
