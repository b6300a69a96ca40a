"""LiveKit's server with one room, people who misbehave in it, and workers that hear nothing.

What decides is the product's own: `Presence`, `HangUp`, `Dispatcher` and `Vacated`. What is left
out is the conversation. Time is the event loop's, which tests make virtual.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from livekit import api, rtc
from livekit.agents import JobContext
from livekit.protocol import agent_dispatch, models

from agent.call.endings import Ending
from agent.call.hang_up import HangUp
from agent.call.people.need import Need
from agent.call.people.participants import AgentRole
from agent.call.people.presence import Presence
from agent.fleet.membership import Membership
from agent.room_names import Attribute
from agent.worker.dispatch import look_after
from agent.worker.replacing import Replacing
from agent.worker.server import Worker
from config.settings import Settings
from workbench.standins.scripted_room import Person, ScriptedRoom

START_SECONDS = 0.5
"""From a request for an agent until it has joined."""
EXIT_SECONDS = 0.6
"""From the moment an agent has left until its process has ended."""
DEPARTURE_SECONDS = 20.0
"""How long LiveKit keeps a room in which nobody is."""
GHOST_SECONDS = 18.0
"""How long LiveKit keeps a participant whose process was killed."""


@dataclass(frozen=True)
class Served:
    """An agent has begun to serve somebody."""

    at: float
    person: Person
    agent: str


class Job:
    """An agent in the room, as far as it decides whom it serves and when it leaves."""

    def __init__(self, world: World, number: int, dispatch_id: str) -> None:
        self.identity = f"agent {number}"
        self.is_alive = True
        self.is_in_room = False
        self.ending: Ending | None = None
        self.room = View(world, self.identity)
        self.api = world
        self.job = SimpleNamespace(
            id=f"AJ_{number}",
            dispatch_id=dispatch_id,
            room=SimpleNamespace(name=world.name, sid=world.sid),
        )
        self.accept_arguments = SimpleNamespace(identity=self.identity)
        self._world = world
        self._over = asyncio.Event()
        self._presence = Presence(self.room.as_livekit, world.settings.agent, end=self._end)

    def is_fake_job(self) -> bool:
        return False

    @property
    def serves(self) -> str | None:
        """Whom it serves at this moment, or waits for; None where it is leaving."""
        return self._presence.caller_identity if self.is_alive and not self.ending else None

    async def run(self) -> None:
        """From the request to the end of the process."""
        await asyncio.sleep(START_SECONDS)
        self._world.join(
            Person(
                self.identity,
                rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
                attributes={Attribute.ROLE: AgentRole.ANSWERS},
            ),
            self.room,
        )
        self.is_in_room = True
        self._presence.begin()
        chosen = asyncio.create_task(self._presence.caller_came())
        over = asyncio.create_task(self._over.wait())
        await asyncio.wait((chosen, over), return_when=asyncio.FIRST_COMPLETED)
        checks = asyncio.create_task(self._presence.check_caller())
        if self.serves:
            person = self._world.people[self.serves]
            self._world.served.append(Served(self._world.now, person, self.identity))
        chosen.cancel()
        await over
        checks.cancel()
        self._presence.stop_waiting()
        job = cast("JobContext", cast("Any", self))
        if self.ending and self.ending.frees_the_room:
            hang_up = HangUp(job, self._world.settings.agent, self._presence)
            await hang_up.step_out(self.ending)
            await hang_up.leave(self.ending)
        await self.room.disconnect()
        await asyncio.sleep(EXIT_SECONDS)

    def _end(self, ending: Ending) -> None:
        self.ending = self.ending or ending
        self._over.set()


class View(ScriptedRoom):
    """The room as one agent has it."""

    def __init__(self, world: World, identity: str) -> None:
        super().__init__(world.name)
        self._world = world
        self._identity = identity
        self.unanswering = world.vanished

    async def disconnect(self) -> None:
        if self.is_connected:
            self.is_connected = False
            self._world.leave(self._identity)


class World:
    """The server's side, and its API."""

    name = "room"

    def __init__(self, settings: Settings, tasks: asyncio.TaskGroup, *, workers: int = 2) -> None:
        self.settings = settings
        self.people: dict[str, Person] = {}
        self.served: list[Served] = []
        self.jobs: list[Job] = []
        self.vanished: set[str] = set()
        """Whose processes were killed, and are still shown."""
        self.last_left = -1000.0
        """When an agent last left in order."""
        self.room = self.agent_dispatch = self
        self.sid = ""
        self._dispatches: list[agent_dispatch.AgentDispatch] = []
        self._views: dict[str, View] = {}
        self._numbers = itertools.count(1)
        self._tasks = tasks
        self._closing: asyncio.TimerHandle | None = None
        self._active: list[list[Any]] = [[] for _ in range(workers)]
        for jobs in self._active:
            fleet = Membership(None, "", "", lambda: (0, ()))
            worker = SimpleNamespace(places=4, active_jobs=jobs, fleet=fleet)
            server: Any = self
            replacing = Replacing(server, Need.to_answer(settings.agent))
            tasks.create_task(look_after(settings, cast("Worker", worker), replacing, server))

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    # What people do

    def join(self, person: Person, view: View | None = None) -> None:
        """Somebody comes, and an agent with a view of its own; a room without people is new."""
        if self._closing:
            self._closing.cancel()
            self._closing = None
        if not self.sid:
            self.sid = f"RM_{next(self._numbers)}"
            self._dispatches = []
            self._request()
        if person.identity in self.people:
            self.leave(person.identity, rtc.DisconnectReason.DUPLICATE_IDENTITY)
        if view:
            view.remote_participants.update(self.people)
            self._views[person.identity] = view
        self.vanished.discard(person.identity)
        self.people[person.identity] = person
        for identity, each in self._views.items():
            if identity != person.identity:
                each.join(person)
        if not self._views:
            ScriptedRoom().join(person)  # which notes when

    def leave(self, identity: str, reason: int = rtc.DisconnectReason.CLIENT_INITIATED) -> None:
        """Somebody goes, by whatever way."""
        if self.people.pop(identity, None) is None:
            return
        self.vanished.discard(identity)
        if self._views.pop(identity, None):
            self.last_left = self.now
        for each in self._views.values():
            each.leave(identity, reason)
        if not self.people:
            loop = asyncio.get_running_loop()
            self._closing = loop.call_later(DEPARTURE_SECONDS, self._close)

    def vanish(self, identity: str) -> None:
        """Somebody's process is killed: the server notices later."""
        ghost = self.people[identity]
        self.vanished.add(identity)

        def notice() -> None:
            if self.people.get(identity) is ghost:
                self.leave(identity, rtc.DisconnectReason.CONNECTION_TIMEOUT)

        asyncio.get_running_loop().call_later(GHOST_SECONDS, notice)

    def publish(self, identity: str, source: int) -> None:
        """Somebody publishes a track, which all agents see."""
        publication = ScriptedRoom.publication(source)
        person = self.people[identity]
        person.track_publications[publication.sid] = publication
        for each in self._views.values():
            each.emit("track_published", publication, person)

    def kill(self) -> bool:
        """The process of an agent dies; its worker notices, the server does not.

        False where there is none.
        """
        is_any = False
        for job in self.jobs:
            if job.is_alive and job.is_in_room and not job.ending:
                job.is_alive, is_any = False, True
                self._views.pop(job.identity, None)
                job.room.is_connected = False
                for jobs in self._active:
                    with contextlib.suppress(ValueError):
                        jobs.remove(job)
        return is_any

    # The server's API

    async def list_rooms(self, _: object) -> Any:
        people = [each for each in self.people if each not in self._views]
        room = models.Room(sid=self.sid, name=self.name, num_participants=len(people))
        return SimpleNamespace(rooms=[room] if self.sid else [])

    async def list_participants(self, _: object) -> Any:
        found = [each.as_server_has_it() for each in self.people.values()]
        return SimpleNamespace(participants=found)

    async def list_dispatch(self, _: str) -> list[agent_dispatch.AgentDispatch]:
        return list(self._dispatches)

    async def create_dispatch(self, _: object) -> None:
        self._request()

    async def remove_participant(self, who: api.RoomParticipantIdentity) -> None:
        if who.identity not in self.people:
            raise api.TwirpError("not_found", "no such participant", status=404)
        self.leave(who.identity, rtc.DisconnectReason.PARTICIPANT_REMOVED)

    async def is_dead(self, _room: str, identity: str, _questions: int) -> bool:
        return not any(each.identity == identity and each.is_alive for each in self.jobs)

    def _request(self) -> None:
        number = next(self._numbers)
        state = agent_dispatch.AgentDispatchState(created_at=number)
        self._dispatches.append(agent_dispatch.AgentDispatch(id=f"AD_{number}", state=state))
        job = Job(self, number, f"AD_{number}")
        self.jobs.append(job)
        active = self._active[number % len(self._active)]
        active.append(job)
        self._tasks.create_task(self._run(job, active))

    async def _run(self, job: Job, active: list[Any]) -> None:
        await job.run()
        if job in active:
            active.remove(job)

    def _close(self) -> None:
        self.sid, self._closing = "", None
