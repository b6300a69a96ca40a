"""All calls have lost their sessions at once, and want them back: who gets one, and when.

The service opens so many sessions in any 60 s. Without a shared budget each stream asks at once,
and again after the pauses that the speech module makes when it is refused. With a shared one, a
stream asks when one is free for it, and not before.
"""

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from stt_assemblyai.retries import Patience

__all__ = ["Reopened", "Service", "back_within", "pauses", "storm"]

Numbers = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]

WINDOW_SECONDS = 60
QUOTA_SECONDS = 12.0
"""What a refused stream waits at least: stt_assemblyai/errors.py."""


@dataclass(frozen=True, slots=True)
class Reopened:
    """What came of it."""

    sessions: int
    back: tuple[int, ...]
    """Sessions that are open again after 0, 1, 2 ... s."""
    asked: int
    refused: int
    busiest_second: int
    """The most that was asked within a second."""

    def share_after(self, seconds: int) -> float:
        """Of all sessions, those that are back by then."""
        return self.back[min(seconds, len(self.back) - 1)] / self.sessions

    def times(self, number: int) -> "Reopened":
        """As many such storms at once: nothing in a share depends on the number of calls."""
        return Reopened(
            self.sessions * number,
            tuple(each * number for each in self.back),
            self.asked * number,
            self.refused * number,
            self.busiest_second * number,
        )

    def seconds_until(self, share: float) -> int | None:
        """When so many were back; None: not within the time that was looked at."""
        return next(
            (at for at, back in enumerate(self.back) if back >= share * self.sessions), None
        )


@dataclass(frozen=True, slots=True)
class Service:
    """How AssemblyAI counts: at most `limit` sessions in any 60 s."""

    limit: int
    used_share: float
    """Of the limit, in the minute before, by callers who came evenly."""
    refusals_count: bool = False
    """Whether a session that is refused counts as one that was opened."""


def storm(
    sessions: int, service: Service, seconds: int, rng: np.random.Generator, *, shared: bool
) -> Reopened:
    """Second by second. No new caller is taken meanwhile.

    Nobody gives up, so that what is back by a time is what a patience of that time would save.
    """
    due: Numbers = np.zeros(sessions)
    failures = np.zeros(sessions)
    counted = _before(service)
    back, asked, refused, busiest = list[int](), 0, 0, 0
    for now in range(seconds):
        room = max(0, service.limit - sum(list(counted)[1:]))
        asking = np.flatnonzero(due <= now)
        if shared:
            asking = asking[:room]
        elif len(asking) > room:
            rng.shuffle(asking)
        opened, others = asking[:room], asking[room:]
        due[opened] = math.inf
        due[others] = now + pauses(failures[others], rng)
        failures[others] += 1
        counted.append(len(asking) if service.refusals_count else len(opened))
        back.append((back[-1] if back else 0) + len(opened))
        asked, refused = asked + len(asking), refused + len(others)
        busiest = max(busiest, len(asking))
    return Reopened(sessions, tuple(back), asked, refused, busiest)


def _before(service: Service) -> deque[int]:
    """What was opened in each second of the minute before."""
    used = service.limit * service.used_share
    until = [round(used * second / WINDOW_SECONDS) for second in range(WINDOW_SECONDS + 1)]
    return deque((later - earlier for earlier, later in pairwise(until)), WINDOW_SECONDS)


def pauses(failures: Numbers, rng: np.random.Generator) -> Numbers:
    """As `stt_assemblyai.retries.Retries` makes them, after so many failures."""
    patience = Patience()
    doubled = patience.first_wait_seconds * 2.0 ** np.minimum(failures, 30)
    longest = np.minimum(doubled, patience.longest_wait_seconds)
    return QUOTA_SECONDS + longest + rng.random(len(failures)) * QUOTA_SECONDS


def back_within(sessions: int, service: Service, seconds: float) -> float:
    """The formula: the share of sessions that can be open again after so many seconds."""
    minutes, rest = divmod(seconds, WINDOW_SECONDS)
    in_this_minute = 1 - service.used_share * (1 - rest / WINDOW_SECONDS)
    return min(1.0, (minutes + in_this_minute) * service.limit / sessions)
