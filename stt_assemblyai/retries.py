"""When to try again after an error, and when to give up: growing pauses, jitter, patience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stt_assemblyai.errors import (
    AssemblyAIError,
    ConfigurationError,
    HttpStatus,
    RenewalError,
    TokenExpiredError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Patience", "Retries"]

_APART_SECONDS = 8.0  # sessions that tell something, but are soon over: longer would cost words


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an outage is borne: minutes by default, seconds where something else can step in.

    `proven_after_seconds` is how long a session has to live for the next failure to be a new one;
    `renews_tokens` allows one more attempt, with a new token, after one that had expired.
    """

    total_seconds: float = 180.0
    first_wait_seconds: float = 0.25
    longest_wait_seconds: float = 15.0
    proven_after_seconds: float = 30.0
    renews_tokens: bool = False


class Retries:
    """One stream's failures in a row. `random` gives numbers from 0 to 1; `since` is when an
    outage began that has worn out the patience of a stream before this one: there is one attempt.
    """

    def __init__(
        self, patience: Patience, random: Callable[[], float], since: float | None = None
    ) -> None:
        self._patience = patience
        self._random = random
        self._failures = 0
        self._has_lived = False
        self._broken = 0  # useful sessions in a row of which none lived for long
        self._lived_seconds = 0.0  # the last one, if this failure is its end
        self._since = since
        self._worn_out = since is not None

    @property
    def since(self) -> float | None:
        """When the first of them was, on the clock of whoever tells of them."""
        return self._since

    @property
    def failures(self) -> int:
        """How many there were in a row, without a session that told anything."""
        return self._failures

    def lived(self, seconds: float, *, useful: bool) -> None:
        """A session lived for this long before it failed; a useful one told something new.

        One that opens and says nothing before it fails, as with models that the account may not
        use, is a failure like those before it. A useful one ends the outage; but where one after
        the other is soon over, they are opened further and further apart."""
        is_proven = seconds >= self._patience.proven_after_seconds
        self._has_lived, self._lived_seconds = True, seconds
        if useful or is_proven:
            self._failures, self._since, self._worn_out = 0, None, False
            self._broken = 0 if is_proven else self._broken + 1

    def failed(self, error: AssemblyAIError, now: float) -> float | None:
        """Seconds to wait before the next attempt; None is: give up."""
        renewable = isinstance(error, TokenExpiredError) and self._patience.renews_tokens
        # A balancer's 404, a login page: where a session was, something else answers for a while.
        is_elsewhere = isinstance(error, ConfigurationError) and isinstance(error.code, HttpStatus)
        passes = error.retryable or (self._has_lived and is_elsewhere)
        if not passes and not (renewable and self._failures == 0):
            return None
        if self._since is None:
            self._since = now
        wait = max(self._wait(error), self._apart_seconds() - self._lived_seconds)
        self._failures += 1
        self._lived_seconds = 0.0
        is_too_late = now + wait - self._since > self._patience.total_seconds
        return None if is_too_late or self._worn_out else wait

    def _apart_seconds(self) -> float:
        """How long after the last session was opened the next one may be."""
        doubled = self._patience.first_wait_seconds * 2.0 ** min(self._broken, 30)
        return min(doubled, _APART_SECONDS) if self._broken else 0.0

    def _wait(self, error: AssemblyAIError) -> float:
        if isinstance(error, RenewalError) and self._failures == 0:
            return 0.0
        doubled = self._patience.first_wait_seconds * 2.0 ** min(self._failures, 30)
        longest = min(doubled, self._patience.longest_wait_seconds)
        if error.retry_after_seconds is None:
            return longest * (0.5 + self._random() / 2)
        return error.retry_after_seconds + longest + self._random() * error.retry_after_seconds
