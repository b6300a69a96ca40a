"""Replaces agents that have died in their calls."""

import logging
from collections.abc import Awaitable, Callable

from livekit import api, rtc
from livekit.protocol import models

from agent.call.people.need import Need, ask_for_agent
from agent.worker import metrics

log = logging.getLogger(__name__)


class Replacing:
    """What any worker does about a dead agent, be it its own or another's."""

    def __init__(
        self,
        client: api.LiveKitAPI,
        need: Need,
        remove_left_over: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> None:
        """`remove_left_over` takes a room and an identity: see `agent.worker.left_overs`."""
        self.client = client
        self.need = need
        self._remove_left_over = remove_left_over

    async def replace(self, room: str, identity: str) -> bool:
        """Remove a dead agent from its room, and ask for another if a caller is there.

        Whether another is there or was asked for, by this worker or by one that was faster. Raises
        what LiveKit's client raises.
        """
        participants = await self.participants(room)
        if identity not in [each.identity for each in participants]:
            return False
        if not await self._is_removed(room, identity):
            return True  # another worker was faster and does the asking
        log.warning("an agent died in its call", extra={"room": room})
        participants = await self.participants(room)  # the removal may have taken seconds
        if any(each != identity for each in self.need.agents(participants)):
            return True
        if not any(map(self.need.is_caller, participants)):
            return False
        metrics.AGENTS_REPLACED.inc()
        dispatches = await self.client.agent_dispatch.list_dispatch(room)
        await ask_for_agent(self.client, room, self.need, dispatches)
        return True

    async def _is_removed(self, room: str, identity: str) -> bool:
        try:
            await self.client.room.remove_participant(
                api.RoomParticipantIdentity(room=room, identity=identity)
            )
        except api.TwirpError as error:
            if error.code != "unavailable" or not self._remove_left_over:
                return False
            try:
                await self._remove_left_over(room, identity)
            except (rtc.ConnectError, TimeoutError):
                raise error from None
        return True

    async def participants(self, room: str) -> list[models.ParticipantInfo]:
        """Who is in a room. Raises what LiveKit's client raises."""
        request = api.ListParticipantsRequest(room=room)
        return list((await self.client.room.list_participants(request)).participants)
