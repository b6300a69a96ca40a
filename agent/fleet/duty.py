"""Which rooms a worker looks after: its own, or all of them, for everybody or for itself alone."""

from enum import StrEnum

LEASE_SECONDS = 1.5
"""How long the lease lasts without being renewed. With `BEAT_SECONDS` another worker has it within
2 s of its holder's death."""

BEAT_SECONDS = 0.4
"""How often the lease is renewed, or asked for, and what others should know is written."""

AWAY_SECONDS = 2.0
"""While Redis does not answer, a worker assumes for this long that the holder still lives."""


class Duty(StrEnum):
    """What a worker looks after."""

    ALONE = "alone"
    """All rooms, as it knows of no other worker: there is no Redis, or it is away."""

    LEADS = "leads"
    """All rooms for the fleet: it holds the lease."""

    FOLLOWS = "follows"
    """Its own calls only: another worker holds the lease."""


class Standing:
    """What follows from Redis' answers about the lease. Times are of one clock, in seconds."""

    def __init__(self, now: float, jitter_seconds: float) -> None:
        """`jitter_seconds` is of this worker: without Redis not all begin at the same moment."""
        self._held = False
        self._answered_at = now
        self._patience_seconds = AWAY_SECONDS + jitter_seconds

    def answered(self, *, held: bool, asked_at: float) -> None:
        """Redis has answered a question of `asked_at`: this worker holds the lease, or it does not.

        The lease lasts from when the question was asked, since Redis may have got it at once.
        """
        self._held, self._answered_at = held, asked_at

    def duty(self, now: float) -> Duty:
        """What this worker looks after now.

        If Redis stops answering, the holder goes on without a pause. The others give the holder the
        benefit of the doubt for a moment, since Redis may come back at once.
        """
        unanswered_seconds = now - self._answered_at
        if self._held:
            return Duty.LEADS if unanswered_seconds < LEASE_SECONDS else Duty.ALONE
        return Duty.ALONE if unanswered_seconds >= self._patience_seconds else Duty.FOLLOWS
