"""What a worker remembers about a room, and what it reads from the requests for agents there."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from livekit.protocol import agent_dispatch, models

from agent.room_names import HOLD_IDENTITY


@dataclass(frozen=True, slots=True)
class Waiting:
    """A room whose caller waits: since when, and for which requests."""

    since: float
    dispatches: frozenset[str]
    jitter_seconds: float


@dataclass(frozen=True, slots=True)
class Settled:
    """A room that needed no agent when it was checked, and the other workers' agents in it."""

    counts: tuple[int, int]
    until: float
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unseen:
    """A room that did not answer, and until when it is skipped."""

    until: float


def counts(room: models.Room) -> tuple[int, int]:
    """Participants and publishers in a room: changes when somebody comes or goes."""
    return room.num_participants, room.num_publishers


def hears_hold_announcement(participants: Iterable[models.ParticipantInfo]) -> bool:
    """Whether the caller hears already that nobody is free."""
    return any(each.identity == HOLD_IDENTITY for each in participants)


def nobody_was_free(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> bool:
    """Whether no request for an agent found a worker: LiveKit lists a job for each that did."""
    return not any(each.state.jobs for each in dispatches if each.agent_name == agent_name)


def about(seconds: float) -> float:
    """A random time near this one, so that workers do not all look at the same moment."""
    return seconds * random.uniform(0.75, 1.25)
