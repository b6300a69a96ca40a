"""Nobody waits for ever: rooms with a caller and no agent get one.

LiveKit asks for an agent once, when a room is made. If every worker is full at that moment, or the
agent dies in the call, nobody is asked again. So each worker looks at the rooms now and then and
asks in its stead. Several may see the same room: each waits for a random moment more, a new
request starts the wait anew, and of two agents that come all the same the later one leaves
(`agent.call.answer`).
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from livekit import api
from livekit.agents import AgentServer
from livekit.agents.types import ATTRIBUTE_AGENT_NAME
from livekit.protocol import agent as jobs
from livekit.protocol import agent_dispatch, models

from agent.worker.admission import FULL
from config.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
JITTER_SECONDS = 1.0
# A room that had its agent and in which nobody came or went is looked into only this often.
SETTLED_SECONDS = 10.0

_AGENT = models.ParticipantInfo.AGENT
_CALLERS = (
    models.ParticipantInfo.STANDARD,
    models.ParticipantInfo.SIP,
    models.ParticipantInfo.CONNECTOR,
)


def waits(
    participants: Sequence[models.ParticipantInfo],
    dispatches: Sequence[agent_dispatch.AgentDispatch],
    agent_name: str,
) -> bool:
    """Whether somebody in a room waits for an agent of this name.

    Not so where no agent of this name was ever asked for (a nameless one is asked for everywhere),
    nor where one has done its work and left.
    """
    for each in participants:
        if each.kind == _AGENT and each.attributes.get(ATTRIBUTE_AGENT_NAME, "") == agent_name:
            return False
    if not any(each.kind in _CALLERS for each in participants):
        return False
    ours = [each for each in dispatches if each.agent_name == agent_name]
    if agent_name and not ours:
        return False
    states = [job.state.status for each in ours for job in each.state.jobs]
    return jobs.JS_SUCCESS not in states


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Since when a room waits for the answer to the requests of these identifiers."""

    since: float
    dispatches: frozenset[str]
    patience_seconds: float


@dataclass(frozen=True, slots=True)
class _Settled:
    """A room that needed nobody when it was looked into."""

    counts: tuple[int, int]
    until: float


class Dispatcher:
    """Looks for callers who wait. `run` goes on until it is cancelled."""

    def __init__(self, settings: Settings, worker: AgentServer) -> None:
        self._livekit = settings.livekit
        self._agent_name = settings.agent.name
        self._patience_seconds = settings.agent.rescue_seconds
        self._worker = worker
        self._waiting: dict[str, _Waiting] = {}
        self._settled: dict[str, _Settled] = {}
        self._calls: dict[str, tuple[str, str]] = {}

    async def run(self) -> None:
        """Look once a second. What goes wrong is said once, and tried again at the next look."""
        livekit = self._livekit
        key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
        blind = False
        async with api.LiveKitAPI(livekit.url, key, secret) as client:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                try:
                    await self._bury_the_dead(client)
                    await self._look(client)
                    blind = False
                except (api.TwirpError, aiohttp.ClientError, TimeoutError, OSError) as error:
                    if not blind:
                        log.warning("cannot look for waiting callers", extra={"error": str(error)})
                    blind = True

    async def _look(self, client: api.LiveKitAPI) -> None:
        rooms = (await client.room.list_rooms(api.ListRoomsRequest())).rooms
        self._forget_all_but({room.sid for room in rooms})
        now = time.monotonic()
        for room in rooms:
            counts = (room.num_participants, room.num_publishers)
            settled = self._settled.get(room.sid)
            if settled and settled.counts == counts and now < settled.until:
                continue
            if await self._rescued(client, room, now):
                continue
            if room.sid not in self._waiting:
                self._settled[room.sid] = _Settled(counts, now + SETTLED_SECONDS)

    async def _rescued(self, client: api.LiveKitAPI, room: models.Room, now: float) -> bool:
        """Look into a room, and ask for an agent once its caller has waited long enough."""
        request = api.ListParticipantsRequest(room=room.name)
        participants = (await client.room.list_participants(request)).participants
        dispatches = await client.agent_dispatch.list_dispatch(room.name)
        if not waits(participants, dispatches, self._agent_name):
            self._waiting.pop(room.sid, None)
            return False
        asked = frozenset(each.id for each in dispatches)
        waiting = self._waiting.get(room.sid)
        if waiting is None or waiting.dispatches != asked:
            patience = self._patience_seconds + random.uniform(0, JITTER_SECONDS)
            self._waiting[room.sid] = _Waiting(now, asked, patience)
            return False
        if now - waiting.since < waiting.patience_seconds or self._is_full():
            return False
        await self._ask(client, room.name)
        return True

    def _is_full(self) -> bool:
        """Then it is for a worker with room to ask, or for this one once a call has ended."""
        load = self._worker.load_fnc
        return load is not None and load(self._worker) >= FULL  # type: ignore[call-arg]

    async def _ask(self, client: api.LiveKitAPI, room: str) -> None:
        log.warning("a caller waits without an agent, asking for one", extra={"room": room})
        await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=room, agent_name=self._agent_name)
        )

    async def _bury_the_dead(self, client: api.LiveKitAPI) -> None:
        """An agent whose process died stays in its room as a ghost until the server notices.

        This worker knows at once which of its jobs are gone: the ghost is removed and another
        agent asked for. A call that ended in order left no ghost behind.
        """
        current = {
            info.job.id: (info.job.room.name, info.accept_arguments.identity)
            for info in self._worker.active_jobs
        }
        gone = [call for job, call in self._calls.items() if job not in current]
        self._calls = current
        for room, identity in gone:
            found = await client.room.list_participants(api.ListParticipantsRequest(room=room))
            identities = {each.identity: each.kind for each in found.participants}
            if identities.pop(identity, None) is None:
                continue
            log.warning("an agent died in its call", extra={"room": room})
            await client.room.remove_participant(
                api.RoomParticipantIdentity(room=room, identity=identity)
            )
            if any(kind in _CALLERS for kind in identities.values()):
                await self._ask(client, room)

    def _forget_all_but(self, sids: set[str]) -> None:
        self._waiting = {sid: each for sid, each in self._waiting.items() if sid in sids}
        self._settled = {sid: each for sid, each in self._settled.items() if sid in sids}
