"""All calls have lost their sessions at once, and want them back: who gets one, and when.

The service opens `limit` sessions in any 60 s. Without a shared budget each stream asks at once,
and again after the pauses that the speech module makes when it is refused. With a shared one, a
stream asks when a token is free for it, and not before.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from stt_assemblyai.retries import Patience

__all__ = ["Reopened", "back_within", "pauses", "storm"]

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

    def seconds_until(self, share: float) -> int | None:
        """When so many were back; None: not within the time that was looked at."""
        return next(
            (at for at, back in enumerate(self.back) if back >= share * self.sessions), None
        )


def storm(
    sessions: int,
    limit: int,
    seconds: int,
    rng: np.random.Generator,
    *,
    shared: bool,
    refusals_count: bool = False,
) -> Reopened:
    """Second by second. With `refusals_count` the service counts what it refuses, too.

    Nobody gives up, so that what is back by a time is what a patience of that time would save.
    """
    due: Numbers = np.zeros(sessions)
    if shared:
        due = np.floor_divide(np.arange(sessions), limit) * float(WINDOW_SECONDS)
    failures = np.zeros(sessions)
    counted: deque[int] = deque(maxlen=WINDOW_SECONDS)
    back, asked, refused, busiest = list[int](), 0, 0, 0
    for now in range(seconds):
        asking = np.flatnonzero(due <= now)
        rng.shuffle(asking)
        room = max(0, limit - sum(list(counted)[-(WINDOW_SECONDS - 1) :]))
        opened, others = asking[:room], asking[room:]
        due[opened] = math.inf
        due[others] = now + pauses(failures[others], rng)
        failures[others] += 1
        counted.append(len(asking) if refusals_count else len(opened))
        back.append((back[-1] if back else 0) + len(opened))
        asked, refused = asked + len(asking), refused + len(others)
        busiest = max(busiest, len(asking))
    return Reopened(sessions, tuple(back), asked, refused, busiest)


def pauses(failures: Numbers, rng: np.random.Generator) -> Numbers:
    """As `stt_assemblyai.retries.Retries` makes them, after so many failures."""
    patience = Patience()
    doubled = patience.first_wait_seconds * 2.0 ** np.minimum(failures, 30)
    longest = np.minimum(doubled, patience.longest_wait_seconds)
    return QUOTA_SECONDS + longest + rng.random(len(failures)) * QUOTA_SECONDS


def back_within(sessions: int, limit: int, patience_seconds: float) -> float:
    """The formula: the share of sessions that are open again within the patience, at best."""
    windows = 1 + math.floor(patience_seconds / WINDOW_SECONDS)
    return min(1.0, windows * limit / sessions)
