"""When the next session is opened and takes over, whatever this machine's clock says.

`expires_at` is a time on the service's clock (protocol notes, section 7.1). If the service sent its
own time, the difference is the session's lifetime. If not, this machine's clock is believed only
if it gives the usual lifetime: a wrong clock would open and pay for session after session. If
neither can be believed, a session is used until the service ends it. That costs a new connection
and no word, and shows how long the next one will live. Time is an argument, in seconds.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stt_assemblyai.attempt import Attempt
    from stt_assemblyai.timing import Timing

__all__ = ["Lifetimes", "RollOver", "Step", "overlaps"]

_USUAL_SECONDS = 10_800.0  # section 12.4; only a token may shorten it
_TOLERANCE_SECONDS = 60.0
_LAST_MOMENT_SECONDS = 3.0  # before expiry: a turn still open then goes on in the next session
_LOOK_SECONDS = 0.1  # how often to look whether the next session can take over
_EDGE_MS = 600  # a whole word: by its text the splice is found


class Lifetimes:
    """The lifetimes of one stream's sessions; less than `shortest_seconds` is not believed.

    `seen_seconds` is how long the last session lived that the service ended for its age.
    """

    def __init__(self, shortest_seconds: float) -> None:
        self.shortest_seconds = shortest_seconds
        self.seen_seconds: float | None = None

    def expired(self, lived_seconds: float) -> None:
        """The service has ended a session for its age."""
        if lived_seconds > self.shortest_seconds:
            self.seen_seconds = lived_seconds

    def believed(self, by_service: float | None, by_host: float) -> float | None:
        """Seconds that a session will live; None if neither figure can be believed. `by_service` is
        the lifetime by the service's clock, None if unknown; `by_host` by this machine's."""
        if by_service is not None and by_service > self.shortest_seconds:
            return by_service
        if by_service is None and abs(by_host - _USUAL_SECONDS) <= _TOLERANCE_SECONDS:
            return by_host if self.seen_seconds is None else min(by_host, self.seen_seconds)
        return self.seen_seconds


class Step(Enum):
    """What to do about the next session now."""

    WAIT = "wait"
    OPEN = "open"
    HAND_OVER = "hand over"  # it knows all that the active one would still say
    FINISH = "finish"  # the active one says its last words first


class RollOver:
    """One stream's next session: `spare`, once it is opened. Look again at `look_at`."""

    def __init__(self, timing: Timing) -> None:
        self.spare: Attempt | None = None
        self.look_at = math.inf
        self.lifetimes = Lifetimes(timing.shortest_session_seconds)
        self._longest_ahead_seconds = timing.roll_over_seconds
        self._last_moment = math.inf
        self._retry_seconds = 0.0

    def plan(self, active: Attempt, now: float) -> float | None:
        """Plan for the active session, which is open. Returns a lifetime that is not believed, if
        there is one: then the session is used until the service ends it."""
        self.look_at = math.inf
        opened, connection = active.opened, active.connection
        if opened is None or opened.expires_at is None or connection is None:
            return None
        ahead_seconds, lasts = connection.ahead_seconds, opened.expires_at - active.opened_at
        by_service = None if ahead_seconds is None else lasts - ahead_seconds
        by_host = lasts - connection.host_ahead_seconds
        lifetime_seconds = self.lifetimes.believed(by_service, by_host)
        if lifetime_seconds is None:
            return by_host if by_service is None else by_service
        self._set_times(active.opened_at + lifetime_seconds, now)
        return None

    def _set_times(self, expires_at: float, now: float) -> None:
        left_seconds = expires_at - now
        scaled_seconds = max(left_seconds / 3, min(_LAST_MOMENT_SECONDS, left_seconds * 0.7))
        ahead = max(_LOOK_SECONDS, min(self._longest_ahead_seconds, scaled_seconds))
        self.look_at = now + max(left_seconds - ahead, self.lifetimes.shortest_seconds)
        self._last_moment = expires_at - min(_LAST_MOMENT_SECONDS, ahead / 2)
        self._retry_seconds = ahead / 10

    def step(self, active: Attempt, told_until_ms: float, now: float, *, in_turn: bool) -> Step:
        """What is due. `told_until_ms` is how far the active session has told all that was said."""
        if now < self.look_at:
            return Step.WAIT
        self.look_at = now + _LOOK_SECONDS
        spare = self.spare
        if spare is not None and spare.error is not None:
            self.spare, self.look_at = None, now + self._retry_seconds
            return Step.WAIT
        if spare is None:
            return Step.OPEN
        if spare.opened is None:
            return Step.WAIT
        if overlaps(spare, told_until_ms) and not in_turn:
            return Step.HAND_OVER
        is_late = now >= self._last_moment and overlaps(spare, active.outbox.until_ms)
        return Step.FINISH if is_late else Step.WAIT

    def take(self, active: Attempt, told_until_ms: float) -> Attempt | None:
        """The spare session, if it has heard all that the active one, which is over or retired, has
        not told. One that is refused here stays in `spare`, and is to be ended."""
        spare = self.spare
        if spare is None or spare.error is not None:
            return None
        if not (active.terminated or overlaps(spare, told_until_ms)):
            return None
        self.spare = None
        return spare


def overlaps(spare: Attempt, until_ms: float) -> bool:
    """Whether it has heard the stream since before `until_ms`, with enough overlap to splice."""
    return spare.outbox.from_ms + _EDGE_MS <= until_ms
