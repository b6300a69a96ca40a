"""Which provider to ask next, and when: back-off, Retry-After, fallback. Pure: time is an argument.

A provider that failed gets a pause that grows with each failure, or the pause that it asked for.
Meanwhile the next one is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.call.models.errors import Failure, Kind

FIRST_PAUSE_SECONDS = 0.25
GROWTH = 1.5  # a hiccup of two seconds is over before the caller hears a filler
LONGEST_PAUSE_SECONDS = 4.0
# The last try begins this long before the deadline at most: a provider that works needs no more.
LAST_TRY_SECONDS = 2.0
TRIES_OF_THE_EMPTY = 2
# An event loop may wake up this much too early. Without this margin the tries would not end.
ROUNDING_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for words or sound from providers."""

    attempt_seconds: float
    """In one try, for the first piece of content and between two; then the request is aborted."""
    whole_seconds: float
    """For the first piece of content, over all tries and providers."""

    @property
    def total_seconds(self) -> float:
        """Over all tries and providers, but long enough for one whole try."""
        return max(self.attempt_seconds, self.whole_seconds)


@dataclass(frozen=True, slots=True)
class Try:
    """Ask this provider at this time."""

    provider: int
    at_seconds: float


@dataclass(slots=True)
class _State:
    is_excluded: bool = False
    failures: list[Failure] = field(default_factory=list)
    not_before: float = 0.0


class Schedule:
    """The tries of one request. Providers are numbered by preference."""

    def __init__(self, order: Sequence[int], patience: Patience, now: float) -> None:
        """`order`: the numbers of the providers, the first one to ask first."""
        self._states = {number: _State() for number in order}
        self.deadline = now + patience.total_seconds
        """When the last try ends, in seconds on the caller's clock."""
        self._latest = self.deadline - min(patience.attempt_seconds / 2, LAST_TRY_SECONDS)

    def next_try(self, now: float, jitter: float = 0.0) -> Try | None:
        """Which provider to ask, and when; None if there are no more tries. `jitter`, from 0 to 1,
        spreads the requests of many calls that failed together."""
        left = [(n, state) for n, state in self._states.items() if not state.is_excluded]
        if not left or now >= self._latest - ROUNDING_SECONDS:
            return None
        number, state = min(left, key=lambda each: max(each[1].not_before, now))
        at = max(state.not_before, now)
        at += 0.25 * jitter * (at - now)
        # A provider that asks for a longer pause than a caller waits is tried at the last moment.
        return Try(number, min(at, self._latest))

    def fail(self, provider: int, failure: Failure, now: float) -> None:
        """A try of this provider failed at this time."""
        state = self._states[provider]
        state.failures.append(failure)
        count = len(state.failures)
        if failure.kind is Kind.EMPTY:
            state.is_excluded = count >= TRIES_OF_THE_EMPTY
        else:
            state.is_excluded = failure.kind is not Kind.BUSY
        pause = min(FIRST_PAUSE_SECONDS * GROWTH ** min(count - 1, 10), LONGEST_PAUSE_SECONDS)
        state.not_before = now + max(pause, failure.retry_after_seconds)

    @property
    def failures(self) -> dict[int, Failure]:
        """The last failure of each provider that has failed."""
        return {n: state.failures[-1] for n, state in self._states.items() if state.failures}
