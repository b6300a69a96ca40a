"""Presence: what each worker writes each second, and what follows for who lives and who does not.

It says which calls a worker has. Nobody needs to ask the agents of a worker that is there whether
they live: it sees by itself when one of them dies.
"""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

PRESENCE_SECONDS = 3.0
"""How long what a worker has written is kept in Redis."""

LATE_SECONDS = 2.0
"""A worker that has written nothing new for this long may be dead. It is not taken for dead: what
is late may be Redis. But its agents are asked."""


class Agent(BaseModel):
    """An agent in a room, by their names."""

    model_config = ConfigDict(frozen=True)

    room: str
    identity: str


class Presence(BaseModel):
    """One worker at one moment. Fields of a newer version are ignored."""

    model_config = ConfigDict(frozen=True)

    worker: str
    """Its id, new with each start."""
    beat: int
    """Grows each time that it writes."""
    places: int
    """How many more calls it takes now."""
    version: str = ""
    """Of its code."""
    agents: tuple[Agent, ...] = ()
    """Its calls."""


class Roster:
    """The workers that are there, as one of them reads it again and again."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Presence, float]] = {}
        self._there: list[Presence] = []

    def read(self, presences: Iterable[Presence], now: float) -> None:
        """Take what stands in Redis at this moment. `now` is in seconds, of the reader's clock."""
        before, self._seen, self._there = self._seen, {}, []
        for each in presences:
            known = before.get(each.worker)
            since = known[1] if known and known[0].beat == each.beat else now
            self._seen[each.worker] = (each, since)
            if now - since < LATE_SECONDS:
                self._there.append(each)

    @property
    def agents(self) -> frozenset[Agent]:
        """The agents that nobody needs to ask."""
        return frozenset(agent for each in self._there for agent in each.agents)

    @property
    def places(self) -> int:
        """How many more calls all of them take."""
        return sum(each.places for each in self._there)

    @property
    def versions(self) -> dict[str, int]:
        """How many workers have each version of the code."""
        found: dict[str, int] = {}
        for each in self._there:
            found[each.version] = found.get(each.version, 0) + 1
        return found
