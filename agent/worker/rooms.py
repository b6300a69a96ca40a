"""What a worker remembers of a room, and what it reads from the requests for agents there."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from livekit.protocol import agent_dispatch, models

from agent.worker.company import IDENTITY


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


@dataclass(frozen=True, slots=True)
class Unseen:
    """A room that could not be looked into, and until when it is left alone."""

    until: float


def counts(room: models.Room) -> tuple[int, int]:
    """How many are in a room, and how many of them publish: it changes when somebody comes."""
    return room.num_participants, room.num_publishers


def is_kept_company(participants: Iterable[models.ParticipantInfo]) -> bool:
    """Whether a worker tells the caller already that nobody is free."""
    return any(each.identity == IDENTITY for each in participants)


def nobody_was_free(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> bool:
    """Whether no request for an agent found a worker: LiveKit lists the jobs that did."""
    return not any(each.state.jobs for each in dispatches if each.agent_name == agent_name)


def about(seconds: float) -> float:
    """Some time near this: several workers need not all look at the same moment."""
    return seconds * random.uniform(0.75, 1.25)
