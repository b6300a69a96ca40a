"""How long a session will live, whatever this machine's clock says.

`expires_at` is a time of the service's clock (protocol notes, section 7.1). Where the service told
its own time, the difference is how long the session lives. Where it did not, this machine's clock
is believed only if the session would last as long as sessions usually do: a clock that is wrong
would have sessions opened and paid for again and again. Without either, a session is used until the
service ends it, which costs a new connection and no word, and tells how long the next one lives.
"""

from __future__ import annotations

__all__ = ["Lifetimes"]

_USUAL_SECONDS = 10_800.0  # section 12.4; only a token may shorten it
_TOLERANCE_SECONDS = 60.0


class Lifetimes:
    """Of one stream's sessions; one that would last less than `shortest_seconds` is not believed.

    `seen_seconds` is how long a session lived that the service ended for its age.
    """

    def __init__(self, shortest_seconds: float) -> None:
        self._shortest_seconds = shortest_seconds
        self.seen_seconds: float | None = None

    def expired(self, lived_seconds: float) -> None:
        """The service has ended a session for its age."""
        if lived_seconds > self._shortest_seconds:
            self.seen_seconds = lived_seconds

    def believed(self, by_service: float | None, by_host: float) -> float | None:
        """Seconds that a session lives, told at its beginning by the service's own clock (None if
        that is not known) and by this machine's. None if neither can be believed."""
        if by_service is not None and by_service > self._shortest_seconds:
            return by_service
        if by_service is None and abs(by_host - _USUAL_SECONDS) <= _TOLERANCE_SECONDS:
            return by_host if self.seen_seconds is None else min(by_host, self.seen_seconds)
        return self.seen_seconds
