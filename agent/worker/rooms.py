"""Who is in a room, who waits there, and what a worker remembers of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from livekit.agents.types import ATTRIBUTE_AGENT_NAME
from livekit.protocol import agent_dispatch, models

from agent.worker.company import IDENTITY

_AGENT = models.ParticipantInfo.AGENT
_CALLERS = (
    models.ParticipantInfo.STANDARD,
    models.ParticipantInfo.SIP,
    models.ParticipantInfo.CONNECTOR,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when a room waits for the answer to the requests of these identifiers."""

    since: float
    dispatches: frozenset[str]
    jitter_seconds: float


@dataclass(frozen=True, slots=True)
class Settled:
    """A room that needed nobody when it was looked into, and the agents of others in it."""

    counts: tuple[int, int]
    until: float
    agents: tuple[str, ...] = ()


def is_caller(participant: models.ParticipantInfo) -> bool:
    """Whether it is a person, by whatever way."""
    return participant.kind in _CALLERS


def agents(participants: Iterable[models.ParticipantInfo], agent_name: str) -> list[str]:
    """The identities of the agents of this name."""
    return [
        each.identity
        for each in participants
        if each.kind == _AGENT and each.attributes.get(ATTRIBUTE_AGENT_NAME, "") == agent_name
    ]


def is_kept_company(participants: Iterable[models.ParticipantInfo]) -> bool:
    """Whether a worker tells the caller already that nobody is free."""
    return any(each.identity == IDENTITY for each in participants)


def waits(
    participants: Sequence[models.ParticipantInfo],
    dispatches: Sequence[agent_dispatch.AgentDispatch],
    agent_name: str,
) -> bool:
    """Whether somebody in a room waits for an agent of this name.

    Not so where no agent of this name is asked for. LiveKit itself asks for a nameless one, and an
    agent that leaves for good has taken the requests back: their jobs do not tell (server 1.13
    shows those that are done as running).
    """
    if agents(participants, agent_name) or not any(map(is_caller, participants)):
        return False
    return any(each.agent_name == agent_name for each in dispatches)


def nobody_was_free(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> bool:
    """Whether no request for an agent found a worker: LiveKit lists the jobs that did."""
    return not any(each.state.jobs for each in dispatches if each.agent_name == agent_name)


def metadata(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> str:
    """What the first request for an agent of this name told it; the next one is told the same."""
    ours = [each for each in dispatches if each.agent_name == agent_name]
    oldest = min(ours, key=lambda each: each.state.created_at, default=None)
    return oldest.metadata if oldest else ""
