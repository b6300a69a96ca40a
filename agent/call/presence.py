"""Who is in the room: another agent, and a caller who may lose the network and come back."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from agent.call.endings import HUNG_UP, Ending

log = logging.getLogger(__name__)

# Set on an agent's participant by its worker, which cannot wait for the call to end.
MUST_GO_ATTRIBUTE = "agent.must_go"


def another_agent_is_here(room: rtc.Room, agent_name: str) -> bool:
    """Two workers may have asked for an agent at once: the one that joins later leaves."""
    return any(
        each.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        and each.attributes.get(ATTRIBUTE_AGENT_NAME, "") == agent_name
        for each in room.remote_participants.values()
    )


class Presence:
    """Ends the call when its caller is gone for good, or the room is."""

    def __init__(
        self,
        room: rtc.Room,
        agent_name: str,
        *,
        grace_seconds: float,
        end: Callable[[Ending], None],
    ) -> None:
        self.caller_identity: str | None = None
        self.absences = 0
        """How often the caller's network has failed."""
        self._room = room
        self._agent_name = agent_name
        self._grace_seconds = grace_seconds
        self._end = end
        self._absence: asyncio.TimerHandle | None = None
        room.on("participant_disconnected", self._on_left)
        room.on("participant_connected", self._on_came)
        room.on("participant_attributes_changed", self._on_attributes)
        room.on("reconnected", self._on_reconnected)
        room.on("disconnected", self._on_disconnected)

    def stop_waiting(self) -> None:
        """Whoever is away is not waited for any longer."""
        if self._absence:
            self._absence.cancel()
            self._absence = None

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self.caller_identity:
            return
        if participant.disconnect_reason in HUNG_UP:
            self._end(Ending.CALLER_LEFT)
            return
        self.stop_waiting()
        self.absences += 1
        log.info("the caller's network failed, waiting", extra={"seconds": self._grace_seconds})
        self._absence = asyncio.get_running_loop().call_later(
            self._grace_seconds, self._end, Ending.CALLER_LOST
        )

    def _on_came(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self.caller_identity and self._absence:
            log.info("the caller came back")
            self.stop_waiting()

    def _on_attributes(self, changed: Mapping[str, str], participant: rtc.Participant) -> None:
        if isinstance(participant, rtc.LocalParticipant) and changed.get(MUST_GO_ATTRIBUTE):
            self._end(Ending.HURRIED)

    def _on_reconnected(self) -> None:
        # After a restart of the server, another agent may have been sent into the new room.
        if another_agent_is_here(self._room, self._agent_name):
            self._end(Ending.OTHER_AGENT)

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        # Whoever was taken for dead has been replaced, and the record goes on.
        removed = reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
        self._end(Ending.OTHER_AGENT if removed else Ending.ROOM_CLOSED)
