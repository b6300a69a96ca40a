"""Agents of which nobody says that they live: who they are, and when to ask them.

Times are of one clock, in seconds.
"""

import math
from collections.abc import Callable, Collection, Iterable

from agent.fleet.presence import Agent

LIVENESS_SECONDS = 2.0
QUESTIONS_PER_SECOND = 20
"""How often each is asked; with many agents less often. Other workers may ask the same ones."""


class Strangers:
    """Those that were seen in rooms."""

    def __init__(self, about: Callable[[float], float]) -> None:
        """`about` makes of a time another one near it."""
        self._about = about
        self._ask_at: dict[Agent, float] = {}
        self._lost: set[Agent] = set()

    def __bool__(self) -> bool:
        return bool(self._ask_at)

    def known(self, alive: Collection[Agent], lost: Iterable[Agent]) -> None:
        """Somebody says of these that they live, and of those no longer."""
        self._lost = {*self._lost, *lost}.difference(alive)
        self._ask_at = {each: at for each, at in self._ask_at.items() if each not in alive}

    def is_lost(self, agent: Agent) -> bool:
        """Whether somebody said of this one that it lives, and says so no longer."""
        return agent in self._lost

    def seen(self, room: str, agents: Iterable[Agent], now: float, *, at_once: bool) -> None:
        """Take the strangers in a room, in place of those that were there before.

        `at_once`: those that come new are asked at once, as are all that are lost.
        """
        before = {each: at for each, at in self._ask_at.items() if each.room == room}
        for each in before:
            del self._ask_at[each]
        for each in agents:
            soon = at_once or each in self._lost
            self._ask_at[each] = before.get(each, now if soon else now + self._pause())

    def keep(self, rooms: Collection[str]) -> None:
        """Forget who is in no room of these."""
        self._lost = {each for each in self._lost if each.room in rooms}
        self._ask_at = {each: at for each, at in self._ask_at.items() if each.room in rooms}

    def due(self, now: float) -> list[Agent]:
        """Whom to ask now. They are not due again before they have `answered`."""
        found = [each for each, at in self._ask_at.items() if at <= now]
        self._ask_at |= dict.fromkeys(found, math.inf)
        return found

    def answered(self, agent: Agent, now: float) -> None:
        """The questions to this one are over: it lives, or it is gone."""
        self._lost.discard(agent)
        if agent in self._ask_at:
            self._ask_at[agent] = now + self._pause()

    def _pause(self) -> float:
        return self._about(max(LIVENESS_SECONDS, len(self._ask_at) / QUESTIONS_PER_SECOND))
