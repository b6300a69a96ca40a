"""Rooms that an agent of this worker has just left: a caller who comes back is served at once.

LiveKit asks for an agent when a room is made, and keeps an empty room for some 20 s after the last
participant has left. A caller who reloads a page comes back into that room, and LiveKit asks for no
agent again.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from livekit import api
from livekit.agents.job import RunningJobInfo

from agent.call.people.need import Need, fill
from agent.worker.livekit_api import FAILURES

NOTICE_SECONDS = 0.25
"""How often this worker checks which of its calls are over; that needs no request."""

WATCH_SECONDS = 30.0
"""LiveKit closes an empty room sooner, and asks for an agent in the next room of that name."""


class Calls(Protocol):
    """The worker, as far as this module needs it: its calls."""

    @property
    def active_jobs(self) -> Iterable[RunningJobInfo]: ...


class Vacated:
    """Watches the rooms that one worker's agents have left in good order."""

    def __init__(self, calls: Calls, client: api.LiveKitAPI, need: Need) -> None:
        self._calls = calls
        self._client = client
        self._need = need

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            known: dict[str, RunningJobInfo] = {}
            while True:
                current = {each.job.id: each for each in self._calls.active_jobs}
                for job in known.keys() - current.keys():
                    tasks.create_task(self._watch(known[job]))
                known = current
                await asyncio.sleep(NOTICE_SECONDS)

    async def _watch(self, left: RunningJobInfo) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (waited := loop.time() - began) < WATCH_SECONDS:
            try:
                if await self._is_settled(left):
                    return
            except FAILURES:  # the next look may succeed
                pass
            # Most callers come back at once; the longer it takes, the less a second matters.
            await asyncio.sleep(min(max(waited / 4, NOTICE_SECONDS), 2.0))

    async def _is_settled(self, left: RunningJobInfo) -> bool:
        """Ask for an agent if a caller is back. True once this room needs no more watching."""
        room = left.job.room
        request = api.ListParticipantsRequest(room=room.name)
        present = (await self._client.room.list_participants(request)).participants
        if left.accept_arguments.identity in [each.identity for each in present]:
            return False  # it died there: `dispatch` removes it, and replaces it for a caller
        if not any(map(self._need.is_caller, present)):
            return False
        rooms = (await self._client.room.list_rooms(api.ListRoomsRequest(names=[room.name]))).rooms
        if room.sid in [each.sid for each in rooms]:
            await fill(self._client, room.name, self._need, left.job.dispatch_id)
        return True
