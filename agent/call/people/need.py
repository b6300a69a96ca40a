"""Whether a room needs one of our agents, by what LiveKit's server says about it; and asks for one.

The worker checks all rooms, and an agent checks the room that it leaves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from livekit import api
from livekit.protocol import agent_dispatch, models

from agent.call.people.participants import AgentRole, has_role, is_operator, may_publish_voice
from config.behaviour import AgentSettings

TRANSCRIBER = "transcriber"
"""The name of transcribers without one in the settings. Without any, they would take rooms from
answering agents that have no name."""

_AGENT = models.ParticipantInfo.AGENT
_PEOPLE = (
    models.ParticipantInfo.STANDARD,
    models.ParticipantInfo.SIP,
    models.ParticipantInfo.CONNECTOR,
)


@dataclass(frozen=True, slots=True)
class Need:
    """Which kind of agent rooms need, and for whom."""

    agent_name: str = ""
    role: AgentRole = AgentRole.ANSWERS
    operators: tuple[str, ...] = ()
    """Identities that need no agent; a * at the end stands for any ending."""
    is_unasked: bool = False
    """Whether every room with a person needs one, or only those for which one was asked."""
    tells_to_wait: bool = False
    """Whether to tell callers when no agent is free."""

    @classmethod
    def to_answer(cls, agent: AgentSettings) -> "Need":
        """Callers need an agent that answers."""
        return cls(agent.name, operators=tuple(agent.operators), tells_to_wait=True)

    @classmethod
    def to_transcribe(cls, agent: AgentSettings) -> "Need":
        """People need a transcriber, and so do operators."""
        name = agent.transcriber_name
        return cls(name or TRANSCRIBER, AgentRole.TRANSCRIBES, is_unasked=not name)

    def is_caller(self, participant: models.ParticipantInfo) -> bool:
        """Whether it is a person who may speak, and not an operator.

        Hidden participants are on the server's list, but nobody in the room sees or hears them.
        """
        permission = participant.permission
        return (
            participant.kind in _PEOPLE
            and not permission.hidden
            and may_publish_voice(permission.can_publish, permission.can_publish_sources)
            and not is_operator(participant.identity, self.operators)
        )

    def agents(self, participants: Iterable[models.ParticipantInfo]) -> list[str]:
        """The identities of the agents of this kind."""
        return [
            each.identity
            for each in participants
            if each.kind == _AGENT and has_role(each.attributes, self.role, self.agent_name)
        ]

    def is_open(
        self,
        participants: Sequence[models.ParticipantInfo],
        dispatches: Iterable[agent_dispatch.AgentDispatch],
    ) -> bool:
        """Whether somebody in a room waits for such an agent.

        Nobody does if no request names it. LiveKit itself requests a nameless agent, and an agent
        that leaves for good deletes the requests. The state of their jobs is no help: server 1.13
        shows finished jobs as running.
        """
        if self.agents(participants) or not any(map(self.is_caller, participants)):
            return False
        return self.is_unasked or self._is_asked_for(dispatches)

    def is_first(self, dispatches: Iterable[agent_dispatch.AgentDispatch]) -> bool:
        """Whether there is no request for such an agent yet, so that none is on its way."""
        return self.is_unasked and not self._is_asked_for(dispatches)

    def _is_asked_for(self, dispatches: Iterable[agent_dispatch.AgentDispatch]) -> bool:
        return any(each.agent_name == self.agent_name for each in dispatches)


def metadata(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> str:
    """The metadata of the first request for an agent of this name; later agents get it too."""
    ours = [each for each in dispatches if each.agent_name == agent_name]
    oldest = min(ours, key=lambda each: each.state.created_at, default=None)
    return oldest.metadata if oldest else ""


def newest_request(
    dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str
) -> agent_dispatch.AgentDispatch | None:
    """The last request for an agent of this name."""
    ours = [each for each in dispatches if each.agent_name == agent_name]
    return max(ours, key=lambda each: each.state.created_at, default=None)


async def ask_for_agent(
    client: api.LiveKitAPI,
    room: str,
    need: Need,
    dispatches: Iterable[agent_dispatch.AgentDispatch],
) -> None:
    """Have the server send an agent into a room, with the metadata of the first request."""
    await client.agent_dispatch.create_dispatch(
        api.CreateAgentDispatchRequest(
            room=room,
            agent_name=need.agent_name,
            metadata=metadata(dispatches, need.agent_name),
        )
    )


async def fill(client: api.LiveKitAPI, room: str, need: Need, dispatch_id: str) -> bool:
    """Ask for an agent if somebody waits for one now. Returns whether that was so.

    `dispatch_id` is the request by which the last agent came; if there is a newer one, its agent is
    on the way. Raises what LiveKit's client raises; `api.TwirpError` if the room has closed.
    """
    request = api.ListParticipantsRequest(room=room)
    participants = (await client.room.list_participants(request)).participants
    if not any(map(need.is_caller, participants)):
        return False
    dispatches = await client.agent_dispatch.list_dispatch(room)
    newest = newest_request(dispatches, need.agent_name)
    if not need.is_open(participants, dispatches) or (newest and newest.id != dispatch_id):
        return False
    await ask_for_agent(client, room, need, dispatches)
    return True
