"""Which calls a list shows, in which order, and what it says of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from typing import Any

from agent.records.oddities import oddities
from agent.records.oddity import Oddity
from agent.records.read import RecordedCall
from agent.records.schema import Call, End
from agent.records.stages import wait_ms


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is to hold. Names may have `*`; times are unix seconds."""

    room: str = "*"
    caller: str = "*"
    ending: str = "*"
    since: float = 0.0
    until: float = float("inf")
    slower_seconds: float = 0.0
    """The slowest reply took at least this long."""
    is_odd: bool = False
    """Only calls in which something was odd."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A call in a list."""

    name: str
    """What `show` takes for it."""
    path: Path
    first: Call
    end: End | None
    seconds: float
    turns: int
    waits_ms: Sequence[int]
    """How long the caller waited for each reply."""
    oddities: Sequence[Oddity]

    @property
    def slowest_ms(self) -> int | None:
        """The longest wait for a reply."""
        return max(self.waits_ms, default=None)

    @property
    def median_ms(self) -> int | None:
        """The median wait for a reply."""
        return round(median(self.waits_ms)) if self.waits_ms else None

    def as_json(self) -> dict[str, Any]:
        """The call as plain values; times in unix seconds and milliseconds."""
        first, end = self.first, self.end
        return {
            "call": self.name,
            "file": str(self.path),
            "at": first.at,
            "room": first.room or None,
            "room_sid": first.room_sid or None,
            "caller": first.caller,
            "seconds": round(self.seconds, 1),
            "ending": end and end.ending,
            "turns": self.turns,
            "median_ms": self.median_ms,
            "slowest_ms": self.slowest_ms,
            "cost": end and end.cost and round(end.cost.total, 6),
            "currency": end and end.cost and end.cost.currency,
            "oddities": [
                {"kind": each.kind, "turn": each.turn, "sentence": each.sentence}
                for each in self.oddities
            ],
        }


def listed(
    calls: Iterable[RecordedCall], wanted: Wanted, *, by_slowest: bool = False
) -> list[Summary]:
    """The calls that are wanted: the newest first, or the slowest first."""
    found = [each for call in calls if (each := _summary(call, wanted)) is not None]
    found.sort(key=lambda each: each.first.at, reverse=True)
    if by_slowest:
        found.sort(key=lambda each: each.slowest_ms or 0, reverse=True)
    return found


def _summary(call: RecordedCall, wanted: Wanted) -> Summary | None:
    """A call that is wanted; None for any other. What is cheap to know is asked first."""
    first, ending = call.first, call.end.ending if call.end else "none"
    named = fnmatchcase(first.room, wanted.room) or fnmatchcase(first.room_sid, wanted.room)
    if not named or not fnmatchcase(first.caller or "", wanted.caller):
        return None
    if not wanted.since <= first.at <= wanted.until or not fnmatchcase(ending, wanted.ending):
        return None
    waits = [wait for turn in call.turns if (wait := wait_ms(turn)) is not None]
    if wanted.slower_seconds and max(waits, default=0) < wanted.slower_seconds * 1000:
        return None
    odd = oddities(call)
    if wanted.is_odd and not odd:
        return None
    turns = len(call.turns)
    return Summary(call.name, call.path, first, call.end, call.seconds, turns, waits, odd)
