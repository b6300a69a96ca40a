"""Rooms that an agent of this worker has just left: its worker knows first.

If the agent died, LiveKit's server shows it for a while; it is removed, and replaced for a caller.
If it left in good order, a caller who comes back is served at once. LiveKit asks for an agent when
a room is made, and keeps an empty room for some 20 s after the last participant has left. A caller
who reloads a page comes back into that room, and LiveKit asks for no agent again.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from livekit import api
from livekit.agents.job import RunningJobInfo

from agent.call.people.need import fill
from agent.worker.livekit_api import FAILURES
from agent.worker.replacing import Replacing

NOTICE_SECONDS = 0.25
"""How often this worker checks which of its calls are over; that needs no request."""

WATCH_SECONDS = 30.0
"""LiveKit closes an empty room sooner, and asks for an agent in the next room of that name."""


class Calls(Protocol):
    """The worker, as far as this module needs it: its calls."""

    @property
    def active_jobs(self) -> Iterable[RunningJobInfo]: ...


class Vacated:
    """Watches the rooms that one worker's agents have left."""

    def __init__(self, calls: Calls, replacing: Replacing) -> None:
        self._calls = calls
        self._replacing = replacing

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
        began, waited = loop.time(), 0.0
        while waited < WATCH_SECONDS:
            try:
                if await self._is_settled(left, waited):
                    return
            except FAILURES as error:
                if isinstance(error, api.TwirpError) and error.code == "not_found":
                    return
                began = loop.time()  # the next look may succeed
            # Most callers come back at once; the longer it takes, the less a second matters.
            await asyncio.sleep(min(max(waited / 4, NOTICE_SECONDS), 2.0))
            waited = loop.time() - began

    async def _is_settled(self, left: RunningJobInfo, waited_seconds: float) -> bool:
        """Ask for an agent if a caller waits. True once this room needs no more watching."""
        room, identity = left.job.room, left.accept_arguments.identity
        present = await self._replacing.participants(room.name)
        if identity in [each.identity for each in present]:
            # At first it may be on its way out.
            return bool(waited_seconds) and await self._replacing.replace(room.name, identity)
        need, client = self._replacing.need, self._replacing.client
        if not any(map(need.is_caller, present)):
            return False
        rooms = (await client.room.list_rooms(api.ListRoomsRequest(names=[room.name]))).rooms
        if room.sid in [each.sid for each in rooms]:
            await fill(client, room.name, need, left.job.dispatch_id)
        return True
