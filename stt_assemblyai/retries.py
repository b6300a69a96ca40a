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

_APART_SECONDS = 8.0  # useful sessions that soon end are opened at most this far apart


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear an outage: minutes by default, seconds if something else can step in.

    After a session that lived `proven_after_seconds`, a failure counts as the first of a new
    outage. `renews_tokens` allows one more attempt, with a new token, after one has expired.
    """

    total_seconds: float = 180.0
    first_wait_seconds: float = 0.25
    longest_wait_seconds: float = 15.0
    proven_after_seconds: float = 30.0
    renews_tokens: bool = False


class Retries:
    """One stream's failures in a row. `random` returns numbers from 0 to 1.

    If an earlier stream ran out of patience in this outage, `since` is when the outage began, and
    this stream has one attempt.
    """

    def __init__(
        self, patience: Patience, random: Callable[[], float], since: float | None = None
    ) -> None:
        self._patience = patience
        self._random = random
        self._failures = 0
        self._has_lived = False
        self._broken = 0  # useful sessions in a row that did not live long
        self._lived_seconds = 0.0  # of the session that this failure ended
        self._since = since
        self._is_last_attempt = since is not None

    @property
    def since(self) -> float | None:
        """When the first failure in a row came, on the caller's clock; None without one."""
        return self._since

    @property
    def failures(self) -> int:
        """Failures in a row without a useful session between them."""
        return self._failures

    def lived(self, seconds: float, *, useful: bool, proven: bool = False) -> None:
        """A session lived for this long before it failed; a useful one reported something new. One
        that did not fail, but ended when it was to, is `proven` however short its life was.

        A useful session ends the outage. One that opens and fails without a word, as with a model
        that the account may not use, counts as a failure. If useful sessions soon end one after
        the other, they are opened further and further apart.
        """
        is_proven = proven or seconds >= self._patience.proven_after_seconds
        self._has_lived, self._lived_seconds = True, seconds
        if useful or is_proven:
            self._failures, self._since, self._is_last_attempt = 0, None, False
            self._broken = 0 if is_proven else self._broken + 1

    def failed(self, error: AssemblyAIError, now: float) -> float | None:
        """Seconds to wait before the next attempt; None to give up."""
        renewable = isinstance(error, TokenExpiredError) and self._patience.renews_tokens
        # A load balancer's 404 or a login page may for a while answer where a session worked.
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
        return None if is_too_late or self._is_last_attempt else wait

    def _apart_seconds(self) -> float:
        """The least time between opening the last session and the next one."""
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
