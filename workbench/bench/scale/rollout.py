"""An update while callers come: each hand-over opens a second session for its call.

New callers and hand-overs take from one budget of `limit` sessions in any 60 s. A caller for whom
none is free within five seconds hears that nobody is free; a call that waits to be handed over goes
on where it is.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

__all__ = ["Rolled", "least_minutes", "roll"]

WINDOW_SECONDS = 60
CALLER_SECONDS = 5
"""agent/worker/session_limit.py: rather than be heard later, a caller is told so."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """What came of an update."""

    callers: int
    turned_away: int
    minutes: float
    """Until the last call was handed over; infinity: not within the time that was looked at."""


def roll(
    calls: int,
    call_seconds: float,
    limit: float,
    minutes: float,
    rng: np.random.Generator,
    *,
    looks_at_minutes: float = 60,
) -> Rolled:
    """Pods are told to stop one after the other within `minutes`, each with its share of `calls`.

    The budget is full of the callers of the minute before when it begins. Of calls that wait to be
    handed over, some end meanwhile.
    """
    per_second = calls / call_seconds
    taken: deque[int] = deque(rng.poisson(per_second, WINDOW_SECONDS - 1).tolist(), WINDOW_SECONDS)
    waiting_callers: deque[int] = deque([0] * CALLER_SECONDS, CALLER_SECONDS)
    waiting, callers, turned_away = 0.0, 0, 0
    for now in range(round(looks_at_minutes * 60)):
        told = min(calls, calls * (now + 1) / (minutes * 60)) - min(
            calls, calls * now / minutes / 60
        )
        waiting = waiting * math.exp(-1 / call_seconds) + told
        room = max(0, math.floor(limit) - sum(list(taken)[-(WINDOW_SECONDS - 1) :]))
        came = int(rng.poisson(per_second))
        callers += came
        turned_away += waiting_callers[0]
        waiting_callers.append(came)
        wanted = sum(waiting_callers)
        # Who came first is first, and calls that are handed over ask as often as callers do.
        share = wanted / (wanted + waiting) if wanted + waiting else 0.0
        for_callers = min(wanted, max(round(room * share), room - math.ceil(waiting)))
        _serve(waiting_callers, for_callers)
        handed = min(waiting, room - for_callers)
        waiting -= handed
        taken.append(for_callers + math.ceil(handed))
        if now >= minutes * 60 and waiting < 1:
            return Rolled(callers, turned_away, (now + 1) / 60)
    return Rolled(callers, turned_away, math.inf)


def _serve(waiting: deque[int], sessions: int) -> None:
    for place, callers in enumerate(waiting):
        served = min(callers, sessions)
        waiting[place] -= served
        sessions -= served


def least_minutes(call_seconds: float, used_share: float) -> float:
    """The formula: an update that takes less turns callers away, whatever the number of calls.

    Callers use `used_share` of the limit; what is left of it is for hand-overs.
    """
    return used_share / (1 - used_share) * call_seconds / 60
