"""AssemblyAI's limit of new sessions, as its documentation describes it.

It counts sessions that are opened within a minute, not those that are open. While 70 % of it or
more is used, it grows by a tenth each minute; below 50 % it shrinks to where it began. How fast it
shrinks is not said: a tenth a minute is taken here.
(assemblyai.com/docs/streaming/rate-limits; protocol notes, section 12.5)
"""

import math
from dataclasses import dataclass

__all__ = ["GROWTH", "PAID", "Limit", "Minute", "minutes_to_reach", "ramp"]

PAID = 100.0
"""New sessions a minute with which a paid account begins; a free one begins with 5."""

GROWTH = 1.1
GROWS_FROM, SHRINKS_BELOW = 0.7, 0.5


@dataclass(frozen=True, slots=True)
class Limit:
    """So many sessions may be opened in this minute."""

    per_minute: float
    start: float = PAID

    def after(self, used: float) -> "Limit":
        """The next minute's, after one in which `used` sessions were opened."""
        share = used / self.per_minute
        if share >= GROWS_FROM:
            return Limit(self.per_minute * GROWTH, self.start)
        if share < SHRINKS_BELOW:
            return Limit(max(self.start, self.per_minute / GROWTH), self.start)
        return self


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of a ramp: the limit, sessions opened in it, calls in progress at its end."""

    limit: float
    opened: float
    calls: float


def ramp(target_calls: float, call_seconds: float, minutes: int, limit: Limit) -> list[Minute]:
    """Callers without end, of whom as many are taken as the limit allows, up to `target_calls`.

    Calls end at random, after `call_seconds` on average: infinity for calls that do not end.
    """
    ends = 60 / call_seconds
    stays = math.exp(-ends)
    new_ones_stay = (1 - stays) / ends if ends else 1.0  # they come all through the minute
    calls, course = 0.0, list[Minute]()
    for _ in range(minutes):
        calls *= stays
        opened = min(limit.per_minute, (target_calls - calls) / new_ones_stay)
        calls += opened * new_ones_stay
        course.append(Minute(limit.per_minute, opened, calls))
        limit = limit.after(opened)
    return course


def minutes_to_reach(calls: float, call_seconds: float, start: float = PAID) -> float:
    """The formula beside the simulation: about how long until so many calls are there.

    With s new sessions a minute in the first one, a tenth more in each later one, and calls of d
    minutes, there are s * (1.1^t - e^(-t/d)) / (ln 1.1 + 1/d) calls after t minutes.
    """
    rate = math.log(GROWTH) + 60 / call_seconds
    return math.log1p(calls * rate / start) / math.log(GROWTH)
