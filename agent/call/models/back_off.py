"""Whom to ask next, and when: growing pauses, Retry-After, a fallback. Pure: time is an argument.

A provider that failed is left alone for a pause that grows with each failure, or for as long as it
asked to be. Meanwhile the next one is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.call.models.errors import Failure, Kind

FIRST_PAUSE_SECONDS = 0.25
GROWTH = 1.5  # a hiccup of two seconds is over before the caller hears a filler
LONGEST_PAUSE_SECONDS = 4.0
# What a provider that is well again needs at most.
LAST_TRY_SECONDS = 2.0
TRIES_OF_THE_EMPTY = 2
# A loop may wake a sleeper before the time, which would not end the tries.
CLOCK_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one waits for a provider, counted in words or sound."""

    attempt_seconds: float
    """For the first of it, and between two of them; then the request is broken off."""
    whole_seconds: float
    """For the first of it, over all tries and providers."""

    @property
    def total_seconds(self) -> float:
        """One try at least is waited for as a whole."""
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
    """The tries of one request, among providers that are numbered by preference."""

    def __init__(self, order: Sequence[int], patience: Patience, now: float) -> None:
        """`order`: the numbers of the providers, the preferred one first."""
        self._states = {number: _State() for number in order}
        self.deadline = now + patience.total_seconds
        """When the last try ends, on the caller's clock in seconds."""
        self._latest = self.deadline - min(patience.attempt_seconds / 2, LAST_TRY_SECONDS)

    def next_try(self, now: float, jitter: float = 0.0) -> Try | None:
        """Whom to ask, and when; None: nobody any more. `jitter`, 0 to 1, spreads the calls of a
        fleet that failed together."""
        left = [(n, state) for n, state in self._states.items() if not state.is_excluded]
        if not left or now >= self._latest - CLOCK_SECONDS:
            return None
        number, state = min(left, key=lambda each: max(each[1].not_before, now))
        at = max(state.not_before, now)
        at += 0.25 * jitter * (at - now)
        # Who asks to be left alone for longer than a caller waits is tried at the last moment.
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
        """The last failure of each provider that was asked."""
        return {n: state.failures[-1] for n, state in self._states.items() if state.failures}
