"""What a worker knows about rooms, when to look into one, and what follows from what is seen there.

A room is looked into when something changes there: somebody comes or goes, LiveKit's webhooks name
it, or an agent is gone of which others knew that it lives. While a caller waits it is looked into
once a second. Where people need no agent it is looked into now and then, since a request for an
agent changes nothing that a listing shows. Times are of one clock, in seconds.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need
from agent.fleet.presence import Agent
from agent.room_names import HOLD_IDENTITY

WAITING_SECONDS = 1.0
"""How often a room is looked into while a caller waits there."""
SETTLED_SECONDS = 10.0
SETTLED_PER_SECOND = 10
"""How often a room is looked into where people need no agent; with many rooms less often."""
LOOKS_AT_ONCE = 100
"""How many rooms are looked into in one pass at most; the others are in the next one."""
UNSEEN_SECONDS = 5.0
"""How long a room is left alone that did not answer: others wait behind it."""
UNHEARD_SECONDS = 2.0
"""A request that has found no worker after this long found none free."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Who is in a room, and which agents were asked for."""

    participants: Sequence[models.ParticipantInfo]
    dispatches: Sequence[agent_dispatch.AgentDispatch]


class Verdict(Enum):
    """What a room needs."""

    NOTHING = auto()
    AGENT = auto()
    ANNOUNCEMENT = auto()
    """That nobody is free."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller waits: since when, and for which requests."""

    since: float
    dispatches: frozenset[str]
    jitter_seconds: float


@dataclass(slots=True)
class Room:
    """What is known about a room, by its name."""

    name: str
    sid: str = ""
    made_ms: float = math.inf
    """When it was made; infinite until it has been listed."""
    counts: tuple[int, int] | None = None
    """Participants, agents not counted, and publishers."""
    look_at: float = math.inf
    """When to look into it; infinite: when something changes."""
    waiting: Waiting | None = None
    is_seen: bool = False
    """Whether it has been looked into before."""


class Rooms:
    """All rooms, as one worker knows them."""

    def __init__(
        self,
        need: Need,
        patience_seconds: float,
        about: Callable[[float], float],
        jitter: Callable[[], float],
    ) -> None:
        """`about` makes of a time another one near it. `jitter` is a further patience, in seconds,
        so that several workers do not send an agent each."""
        self._need = need
        self._patience_seconds = patience_seconds
        self._about = about
        self._jitter = jitter
        self._rooms: dict[str, Room] = {}
        self._alive: frozenset[Agent] = frozenset()
        self._looked_into = 0

    @property
    def is_busy(self) -> bool:
        """Whether there are calls, or callers who wait."""
        return bool(self._alive) or any(each.waiting for each in self._rooms.values())

    def listed(self, rooms: Iterable[models.Room], now: float) -> set[str]:
        """Take all rooms that there are. The names of those where people came or went."""
        before, self._rooms = self._rooms, {}
        served, moved = {each.room for each in self._alive}, set(before)
        for each in rooms:
            known = before.get(each.name)
            room = known if known and known.sid in ("", each.sid) else Room(each.name)
            counts = (each.num_participants, each.num_publishers)
            if room.counts and room.counts[0] == counts[0]:
                moved.discard(each.name)
            else:
                moved.add(each.name)
            if room.counts != counts and (room.counts or each.name not in served):
                room.look_at = now
            room.sid, room.made_ms, room.counts = each.sid, each.creation_time_ms, counts
            self._rooms[each.name] = room
        return moved

    def changed(self, names: Iterable[str], now: float) -> None:
        """Something has changed in these."""
        for each in names:
            self._rooms.setdefault(each, Room(each)).look_at = now

    def alive(self, agents: frozenset[Agent], now: float) -> frozenset[Agent]:
        """Take which agents certainly live. Those that did, and of which nobody says so now."""
        gone, self._alive = self._alive - agents, agents
        self.changed((each.room for each in gone), now)
        return gone

    def due(self, now: float) -> list[Room]:
        """The rooms to look into: where somebody waits or may wait, first come, first served."""
        coming = [each for each in self._rooms.values() if each.look_at < math.inf]
        self._looked_into = len(coming)
        found = [each for each in coming if each.look_at <= now]
        return sorted(found, key=_urgency)[:LOOKS_AT_ONCE]

    def strangers(self, room: str, identities: Iterable[str]) -> list[Agent]:
        """Those of these agents in a room of which nobody says that they live."""
        found = (Agent(room=room, identity=each) for each in identities)
        return [each for each in found if each not in self._alive]

    def unseen(self, room: Room, now: float, pause_seconds: float) -> None:
        """The room did not answer. It is looked into after a pause, while a caller waits sooner."""
        pause_seconds = WAITING_SECONDS if room.waiting else self._about(pause_seconds)
        room.look_at = now + pause_seconds

    def seen(self, room: Room, sight: Sight, now: float, *, has_place: bool) -> Verdict:
        """Take what was seen in a room. What it needs now."""
        if not self._need.is_open(sight.participants, sight.dispatches):
            room.waiting = None
            room.look_at = self._next_look(room, sight, now)
            room.is_seen = True
            return Verdict.NOTHING
        room.is_seen, room.look_at = True, now + WAITING_SECONDS
        asked = frozenset(each.id for each in sight.dispatches)
        if room.waiting is None or room.waiting.dispatches != asked:
            room.waiting = Waiting(now, asked, self._jitter())
            return Verdict.NOTHING
        waited_seconds = now - room.waiting.since - room.waiting.jitter_seconds
        if waited_seconds < self._patience(sight, has_place=has_place):
            return Verdict.NOTHING
        if has_place:
            return Verdict.AGENT
        is_told = hears_hold_announcement(sight.participants) or not self._need.tells_to_wait
        return Verdict.NOTHING if is_told else Verdict.ANNOUNCEMENT

    def _next_look(self, room: Room, sight: Sight, now: float) -> float:
        """When to look again where nobody waits."""
        agents = self._need.agents(sight.participants)
        is_served = bool(agents) and not self.strangers(room.name, agents)
        is_empty = all(map(_is_agent, sight.participants))
        if is_served or (is_empty and room.is_seen):
            return math.inf
        # A listing may be late by `SETTLED_SECONDS`, so an empty room is looked into once more.
        pause_seconds = max(SETTLED_SECONDS, self._looked_into / SETTLED_PER_SECOND)
        return now + self._about(pause_seconds)

    def _patience(self, sight: Sight, *, has_place: bool) -> float:
        if hears_hold_announcement(sight.participants) or self._need.is_first(sight.dispatches):
            return 0.0
        if not has_place and nobody_was_free(sight.dispatches, self._need.agent_name):
            # LiveKit lists a job some seconds late, so this must not lead to another request.
            return min(self._patience_seconds, UNHEARD_SECONDS)
        return self._patience_seconds


def _is_agent(participant: models.ParticipantInfo) -> bool:
    return participant.kind == models.ParticipantInfo.AGENT


def _urgency(room: Room) -> tuple[bool, bool, float]:
    is_empty = room.counts is not None and not room.counts[0]
    return room.waiting is None, is_empty, room.made_ms


def hears_hold_announcement(participants: Iterable[models.ParticipantInfo]) -> bool:
    """Whether the caller hears already that nobody is free."""
    return any(each.identity == HOLD_IDENTITY for each in participants)


def nobody_was_free(dispatches: Iterable[agent_dispatch.AgentDispatch], agent_name: str) -> bool:
    """Whether no request for an agent found a worker: LiveKit lists a job for each that did."""
    return not any(each.state.jobs for each in dispatches if each.agent_name == agent_name)
