"""No caller waits for ever: a room with a caller and no agent gets one.

LiveKit asks for an agent once, when a room is made. If every worker is full at that moment, or the
agent dies in the call, LiveKit does not ask again. So each worker checks the rooms now and then,
and asks itself. Several workers may see the same room: each adds a random wait, and a new request
restarts that wait. If two agents come all the same, the later one leaves
(`agent.call.people.presence`). If no worker has a place, one of them tells the caller so.
"""

import asyncio
import contextlib
import logging
import math
import random
from dataclasses import replace

from livekit import api
from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need, ask_for_agent
from agent.worker import metrics
from agent.worker.hold_announcement import announce_hold
from agent.worker.livekit_api import FAILURES, livekit_api
from agent.worker.liveness import Liveness
from agent.worker.rooms import (
    Settled,
    Unseen,
    Waiting,
    about,
    counts,
    hears_hold_announcement,
    nobody_was_free,
)
from agent.worker.server import Worker
from agent.worker.vacated import Vacated
from config.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# The pauses grow up to this while nothing happens.
IDLE_LOOK_SECONDS = 3.0
JITTER_SECONDS = 1.0
# How often a room is checked that had its agent and in which nobody came or went.
SETTLED_SECONDS = 10.0
# How often other workers' agents are asked whether they are alive, up to this many questions a
# second. With more agents each worker asks less often; the other workers ask the same agents.
LIVENESS_SECONDS = 2.0
QUESTIONS_PER_SECOND = 20
# A request that has found no worker after this long found none free.
UNHEARD_SECONDS = 2.0
ANNOUNCEMENTS_AT_MOST = 50
# Checked one by one, rooms on a distant or dead server would hold up all the others.
ROOMS_AT_ONCE = 20
# A room that does not answer in this time is skipped for a while: others wait behind it.
SIGHT_SECONDS = 2.5
UNSEEN_SECONDS = 5.0
# Shorter failures of the server are logged elsewhere.
SILENT_SECONDS = 10.0

_Sight = tuple[list[models.ParticipantInfo], list[agent_dispatch.AgentDispatch]]


async def look_after_callers(settings: Settings, worker: Worker, *, speaks: bool) -> None:
    """Look for waiting callers and dead agents until cancelled.

    A worker that `speaks` tells callers when no agent is free.
    """
    count = metrics.LIVEKIT_API_CALLS
    async with (
        livekit_api(settings.livekit, lambda method: count.labels(method).inc()) as server,
        asyncio.TaskGroup() as tasks,
    ):
        liveness = Liveness(server)
        need = Need.to_answer(settings.agent) if speaks else Need.to_transcribe(settings.agent)
        tasks.create_task(Vacated(worker, server.client, need).run())
        await Dispatcher(settings, need, worker, server.client, liveness, tasks).run()


class Dispatcher:
    """What one worker knows about all rooms, and what it does about them."""

    def __init__(
        self,
        settings: Settings,
        need: Need,
        worker: Worker,
        client: api.LiveKitAPI,
        liveness: Liveness,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._settings = settings
        self._need = need
        self._patience_seconds = settings.agent.rescue_seconds
        self._worker = worker
        self._client = client
        self._liveness = liveness
        self._tasks = tasks
        self._rooms: dict[str, Waiting | Settled | Unseen] = {}
        self._listed: dict[str, tuple[int, int]] = {}
        self._calls: dict[str, tuple[str, str]] = {}
        self._on_hold: set[str] = set()

    async def run(self) -> None:
        """Look once a second, and less often while nothing happens.

        A lasting failure is logged once; the next look tries again.
        """
        loop = asyncio.get_running_loop()
        pause_seconds, well_at, is_said = LOOK_SECONDS, loop.time(), False
        while True:
            await asyncio.sleep(pause_seconds)
            self._replace_our_dead()
            try:
                is_quiet = await self._check_rooms()
            except FAILURES as error:
                pause_seconds = LOOK_SECONDS
                if loop.time() - well_at > SILENT_SECONDS and not is_said:
                    is_said = True
                    reason = str(error) or type(error).__name__
                    log.warning("cannot look for waiting callers", extra={"error": reason})
            else:
                well_at, is_said = loop.time(), False
                longest = IDLE_LOOK_SECONDS if is_quiet else LOOK_SECONDS
                pause_seconds = min(pause_seconds * 1.5, longest)

    async def _check_rooms(self) -> bool:
        """Check every room. True if nobody came or went and nobody needs an agent."""
        rooms = (await self._client.room.list_rooms(api.ListRoomsRequest())).rooms
        listed = {room.sid: counts(room) for room in rooms}
        is_quiet = listed == self._listed and not self._worker.active_jobs
        self._listed = listed
        self._rooms = {sid: each for sid, each in self._rooms.items() if sid in listed}
        first_come = sorted(rooms, key=lambda room: room.creation_time_ms)
        gate = asyncio.Semaphore(ROOMS_AT_ONCE)
        async with asyncio.TaskGroup() as looking:
            seen = [looking.create_task(self._see(each, gate)) for each in first_come]
        places = self._worker.places
        for room, found in zip(first_come, seen, strict=True):
            if sight := found.result():
                with contextlib.suppress(*FAILURES):
                    places -= await self._decide(room, *sight, has_place=places > 0)
        return is_quiet and all(
            isinstance(each, Settled) and not each.agents for each in self._rooms.values()
        )

    async def _see(self, room: models.Room, gate: asyncio.Semaphore) -> _Sight | None:
        """Who is in a room and which agents were asked for; None if there is nothing to decide."""
        now = asyncio.get_running_loop().time()
        state = self._rooms.get(room.sid)
        if isinstance(state, Settled) and state.counts == counts(room):
            if now >= state.until and state.agents:
                self._tasks.create_task(self._check_agents(room, state))
            if now < state.until or state.agents:
                return None
        if isinstance(state, Unseen) and now < state.until:
            return None
        async with gate:
            try:
                async with asyncio.timeout(SIGHT_SECONDS):
                    participants = await self._participants(room.name)
                    return participants, await self._client.agent_dispatch.list_dispatch(room.name)
            except TimeoutError:
                if not isinstance(state, Waiting):
                    self._rooms[room.sid] = Unseen(now + about(UNSEEN_SECONDS))
            except FAILURES:  # the room has just closed, or its server is gone
                pass
        return None

    async def _decide(
        self,
        room: models.Room,
        participants: list[models.ParticipantInfo],
        dispatches: list[agent_dispatch.AgentDispatch],
        *,
        has_place: bool,
    ) -> bool:
        """Ask for an agent if a caller has waited long enough. True if one was asked for."""
        now = asyncio.get_running_loop().time()
        if not self._need.is_open(participants, dispatches):
            ours = {identity for _, identity in self._calls.values()}
            others = [each for each in self._need.agents(participants) if each not in ours]
            seconds = self._liveness_seconds() if others else SETTLED_SECONDS
            settled = Settled(counts(room), now + about(seconds), tuple(others))
            if others and room.sid not in self._rooms:
                # This worker may replace one that died, and whose callers wait.
                self._tasks.create_task(self._check_agents(room, settled))
            self._rooms[room.sid] = settled
            return False
        asked = frozenset(each.id for each in dispatches)
        waiting = self._rooms.get(room.sid)
        if not isinstance(waiting, Waiting) or waiting.dispatches != asked:
            jitter = random.uniform(0, JITTER_SECONDS)
            self._rooms[room.sid] = Waiting(now, asked, jitter)
            return False
        waited = now - waiting.since - waiting.jitter_seconds
        patience_seconds = self._patience_seconds
        if hears_hold_announcement(participants) or self._need.is_first(dispatches):
            patience_seconds = 0.0
        elif not has_place and nobody_was_free(dispatches, self._need.agent_name):
            # LiveKit lists a job some seconds late, so this must not lead to another request.
            patience_seconds = min(patience_seconds, UNHEARD_SECONDS)
        if waited < patience_seconds:
            return False
        if has_place:
            await self._rescue(room.name, asked)
        elif self._need.tells_to_wait:
            self._start_announcement(room.name, participants)
        return has_place

    async def _rescue(self, room: str, asked: frozenset[str]) -> None:
        """Ask for an agent, unless a request has since been made or taken back."""
        dispatches = await self._client.agent_dispatch.list_dispatch(room)
        if asked == {each.id for each in dispatches}:
            log.warning("a caller waits without an agent", extra={"room": room})
            metrics.CALLERS_RESCUED.inc()
            await self._ask(room, dispatches)

    def _start_announcement(self, room: str, participants: list[models.ParticipantInfo]) -> None:
        if room in self._on_hold or hears_hold_announcement(participants):
            return
        if len(self._on_hold) >= ANNOUNCEMENTS_AT_MOST:
            return
        log.warning("a caller is told that nobody is free", extra={"room": room})
        metrics.CALLERS_TOLD_TO_WAIT.inc()
        self._on_hold.add(room)
        self._tasks.create_task(self._announce_hold(room))

    async def _announce_hold(self, room: str) -> None:
        try:
            await announce_hold(self._settings, room, self._need)
        except Exception as error:  # from LiveKit's library; some have no class of their own
            log.warning("could not tell a caller", extra={"room": room, "error": str(error)})
        finally:
            self._on_hold.discard(room)

    async def _check_agents(self, room: models.Room, state: Settled) -> None:
        """Ask the other workers' agents in a room whether they are alive."""
        asking = self._rooms[room.sid] = replace(state, until=math.inf)
        for identity in state.agents:
            if await self._liveness.is_dead(room.name, identity):
                with contextlib.suppress(*FAILURES):
                    await self._replace(room.name, identity)
        if self._rooms.get(room.sid) is asking:
            until = asyncio.get_running_loop().time() + about(self._liveness_seconds())
            self._rooms[room.sid] = replace(state, until=until)

    def _liveness_seconds(self) -> float:
        asked = sum(
            isinstance(each, Settled) and bool(each.agents) for each in self._rooms.values()
        )
        return max(LIVENESS_SECONDS, asked / QUESTIONS_PER_SECOND)

    def _replace_our_dead(self) -> None:
        """Replace this worker's dead agents: it notices at once, LiveKit's server late.

        The agent of a call that ended in order has already left its room.
        """
        current = {
            info.job.id: (info.job.room.name, info.accept_arguments.identity)
            for info in self._worker.active_jobs
        }
        gone = [call for job, call in self._calls.items() if job not in current]
        self._calls = current
        for call in gone:
            self._tasks.create_task(self._replace_certainly(*call))

    async def _replace_certainly(self, room: str, identity: str) -> None:
        """Replace it, trying until LiveKit has answered or the room is gone."""
        while True:
            try:
                return await self._replace(room, identity)
            except FAILURES as error:
                if isinstance(error, api.TwirpError) and error.code == "not_found":
                    return None
            await asyncio.sleep(LOOK_SECONDS)

    async def _replace(self, room: str, identity: str) -> None:
        """Remove a dead agent from its room, and ask for another if a caller is there."""
        participants = await self._participants(room)
        if identity not in [each.identity for each in participants]:
            return
        try:
            await self._client.room.remove_participant(
                api.RoomParticipantIdentity(room=room, identity=identity)
            )
        except api.TwirpError:  # another worker was faster and does the asking
            return
        log.warning("an agent died in its call", extra={"room": room})
        if any(map(self._need.is_caller, participants)):
            metrics.AGENTS_REPLACED.inc()
            await self._ask(room, await self._client.agent_dispatch.list_dispatch(room))

    async def _participants(self, room: str) -> list[models.ParticipantInfo]:
        request = api.ListParticipantsRequest(room=room)
        return list((await self._client.room.list_participants(request)).participants)

    async def _ask(self, room: str, dispatches: list[agent_dispatch.AgentDispatch]) -> None:
        await ask_for_agent(self._client, room, self._need, dispatches)
