"""Who is in a room, who waits there, and what a worker remembers of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from livekit.agents.types import ATTRIBUTE_AGENT_NAME
from livekit.protocol import agent as jobs
from livekit.protocol import agent_dispatch, models

from agent.worker.company import IDENTITY

_AGENT = models.ParticipantInfo.AGENT
_CALLERS = (
    models.ParticipantInfo.STANDARD,
    models.ParticipantInfo.SIP,
    models.ParticipantInfo.CONNECTOR,
)

# An agent that finds another one in its room has left it within this time.
NEEDLESS_SECONDS = 15


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

    Not so where no agent of this name was ever asked for (a nameless one is asked for everywhere),
    nor where one has done its work and left. Who found another agent there had no work to do.
    """
    if agents(participants, agent_name) or not any(map(is_caller, participants)):
        return False
    ours = [each for each in dispatches if each.agent_name == agent_name]
    if agent_name and not ours:
        return False
    states = [job.state for each in ours for job in each.state.jobs]
    return not any(
        each.status == jobs.JS_SUCCESS and not _was_needless(each, states) for each in states
    )


def _was_needless(state: jobs.JobState, states: Iterable[jobs.JobState]) -> bool:
    """Whether an agent soon left again, since an earlier one was there."""
    soon = state.ended_at - state.started_at < NEEDLESS_SECONDS * 1_000_000_000
    return soon and any(
        each.started_at < state.started_at
        and (each.ended_at == 0 or each.ended_at > state.ended_at)
        for each in states
    )


def nobody_was_free(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> bool:
    """Whether no request for an agent found a worker: LiveKit lists the jobs that did."""
    return not any(each.state.jobs for each in dispatches if each.agent_name == agent_name)


def metadata(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> str:
    """What the first request for an agent of this name told it; the next one is told the same."""
    ours = [each for each in dispatches if each.agent_name == agent_name]
    oldest = min(ours, key=lambda each: each.state.created_at, default=None)
    return oldest.metadata if oldest else ""
