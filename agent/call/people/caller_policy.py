"""Chooses the caller, and decides when the call is over. It has no clock and no room.

      CHOOSING --somebody may call--> SERVING --the caller vanishes--> WAITING
      WAITING --the caller is back--> SERVING
      CHOOSING --nobody in time--> OVER
      SERVING --the caller hung up--> OVER
      SERVING --the caller is silent, somebody else is not--> OVER
      WAITING --not in time--> OVER, sooner if somebody else is there

One agent serves one caller. For the next caller in a room the agent leaves, and another agent comes
without the first caller's conversation. An agent that hears everybody goes on with those who are
left, and one of them takes the caller's place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.call.endings import Ending

MICROPHONE_SECONDS = 1.0
"""With several people in the room, how long the agent waits for one to publish a microphone."""

RETURN_SECONDS = 2.0
"""A client that reconnects is back within this time; until then nobody takes the caller's place."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may call: a person who may publish a microphone, but not an operator."""

    identity: str
    is_active: bool = False
    """Has published a microphone, has typed, or calls by telephone."""
    is_phone: bool = False

    @property
    def rank(self) -> tuple[bool, bool]:
        """The higher is served first."""
        return self.is_phone, self.is_active


class CallerPolicy:
    """Decides for one agent in one room. Times are seconds on any monotonic clock."""

    def __init__(
        self, *, patience_seconds: float, grace_seconds: float, now: float, goes_on: bool = False
    ) -> None:
        """`patience_seconds`: how long to wait for the first caller; `grace_seconds`: for one who
        vanished; `goes_on`: when the caller leaves, another participant becomes the caller."""
        self.caller: str | None = None
        self.ending: Ending | None = None
        self.absences = 0
        """How often the caller has vanished."""
        self.is_contested = False
        """Whether somebody else could be served if the caller were gone."""
        self._grace_seconds = grace_seconds
        self._goes_on = goes_on
        self._give_up_at = now + patience_seconds
        self._has_hung_up = False
        self._is_reachable = True
        self._absent_since: float | None = None
        self._choose_at: float | None = None

    @property
    def is_absent(self) -> bool:
        """Whether the agent waits for a caller who vanished."""
        return self._absent_since is not None and self.ending is None

    def hung_up(self, identity: str) -> None:
        """This participant left on purpose; their network did not fail."""
        if identity == self.caller:
            self._has_hung_up = True

    def answers(self, *, is_reachable: bool) -> None:
        """Whether the caller's client answers; LiveKit's server shows a dead one for 20 s."""
        self._is_reachable = is_reachable

    def observe(self, present: Sequence[Candidate], now: float) -> float | None:
        """Decide by who is `present`, in the order in which they joined.

        Returns when to look again if nothing happens before; None if only an event can change the
        decision.
        """
        if self.ending:
            return None
        if self.caller is None:
            return self._choose(present, now)
        found = next((each for each in present if each.identity == self.caller), None)
        others = [each for each in present if each is not found and each.is_active]
        self.is_contested = found is not None and bool(others)
        if found and self._is_reachable:
            self._absent_since = None
            if others and not found.is_active and not self._goes_on:
                self.ending = Ending.ANOTHER_CALLER
            return None
        if others and self._goes_on:
            self._go_on_with(max(others, key=lambda each: each.rank))
            return None
        if self._has_hung_up:
            self.ending = Ending.CALLER_LEFT
            return None
        return self._wait(now, RETURN_SECONDS if others else self._grace_seconds)

    def _choose(self, present: Sequence[Candidate], now: float) -> float | None:
        if not present:
            self._choose_at = None
            return self._or_end(self._give_up_at, now, Ending.NO_CALLER)
        best = max(present, key=lambda each: each.rank)  # of equals the first
        if self._choose_at is None:
            self._choose_at = now + MICROPHONE_SECONDS
        if best.is_active or len(present) == 1 or now >= self._choose_at:
            self.caller = best.identity
            return None
        return self._choose_at

    def _go_on_with(self, somebody: Candidate) -> None:
        self.caller = somebody.identity
        self._has_hung_up, self._is_reachable, self._absent_since = False, True, None

    def _wait(self, now: float, seconds: float) -> float | None:
        if self._absent_since is None:
            self._absent_since = now
            self.absences += 1
        until = self._absent_since + min(seconds, self._grace_seconds)
        return self._or_end(until, now, Ending.CALLER_LOST)

    def _or_end(self, at: float, now: float, ending: Ending) -> float | None:
        if now < at:
            return at
        self.ending = ending
        return None
