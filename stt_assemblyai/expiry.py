"""How long a session will live, whatever this machine's clock says.

`expires_at` is a time on the service's clock (protocol notes, section 7.1). If the service sent its
own time, the difference is the session's lifetime. If not, this machine's clock is believed only
if it gives the usual lifetime: a wrong clock would open and pay for session after session. If
neither can be believed, a session is used until the service ends it. That costs a new connection
and no word, and shows how long the next one will live.
"""

from __future__ import annotations

__all__ = ["Lifetimes"]

_USUAL_SECONDS = 10_800.0  # section 12.4; only a token may shorten it
_TOLERANCE_SECONDS = 60.0


class Lifetimes:
    """The lifetimes of one stream's sessions; less than `shortest_seconds` is not believed.

    `seen_seconds` is how long the last session lived that the service ended for its age.
    """

    def __init__(self, shortest_seconds: float) -> None:
        self._shortest_seconds = shortest_seconds
        self.seen_seconds: float | None = None

    def expired(self, lived_seconds: float) -> None:
        """The service has ended a session for its age."""
        if lived_seconds > self._shortest_seconds:
            self.seen_seconds = lived_seconds

    def believed(self, by_service: float | None, by_host: float) -> float | None:
        """Seconds that a session will live; None if neither figure can be believed. `by_service` is
        the lifetime by the service's clock, None if unknown; `by_host` by this machine's."""
        if by_service is not None and by_service > self._shortest_seconds:
            return by_service
        if by_service is None and abs(by_host - _USUAL_SECONDS) <= _TOLERANCE_SECONDS:
            return by_host if self.seen_seconds is None else min(by_host, self.seen_seconds)
        return self.seen_seconds
