"""What a call tells its worker while it lasts: numbers and enumerations, never words.

A message has a `kind`. Most are lines of the call's record (`agent.records.schema`) without what
people said; `tried`, `used`, `completed` and `late` are ours.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from agent.loop_lag import Lag
from agent.records.schema import End, Line, Overlap, Provider, Turn, without_words

Report = Callable[[Mapping[str, Any]], None]
"""Takes one small message. It never waits, and never raises."""


class Outcome(StrEnum):
    """How one try went: a request to a model, or the opening of a session with the recogniser."""

    ANSWERED = "answered"
    BUSY = "busy"
    """Down, slow, broken or overloaded."""
    EMPTY = "empty"
    CONTENT = "content"
    """It refuses this text."""
    REFUSED = "refused"
    """The key, the quota, the model or the address: an operator has to act."""


TRIED, USED, COMPLETED, LATE = "tried", "used", "completed", "late"


def into_nothing(_: Mapping[str, Any]) -> None:
    """The report of a call that has no worker to tell, as in a console."""


def tried(provider: Provider, outcome: Outcome) -> Mapping[str, Any]:
    """The message about one try."""
    return {"kind": TRIED, "provider": provider, "outcome": outcome.value}


def used(model: str, provider: str, usage: Mapping[str, float]) -> Mapping[str, Any]:
    """The message about what a model was used for: `llm_input_tokens` and so on, with the names of
    LiveKit's metrics."""
    return {"kind": USED, "model": model, "provider": provider, "usage": usage}


def completed(seconds: float) -> Mapping[str, Any]:
    """The message about the time that an agent's `on_user_turn_completed` took."""
    return {"kind": COMPLETED, "seconds": seconds}


def late(process: int, calls: int, lag: Lag) -> Mapping[str, Any]:
    """The message about how late the event loop of a process with so many calls ran."""
    mean, worst = (round(each, 4) for each in (lag.mean, lag.worst))
    return {"kind": LATE, "process": process, "calls": calls, "mean": mean, "worst": worst}


def line(written: Line) -> Mapping[str, Any]:
    """The message about a line of the call's record."""
    return without_words(written)


def outlet_for(report: Report) -> Callable[[Line], None]:
    """What takes all lines of a call's record and reports those that the worker counts. The bill of
    the last speech session comes after the record's end: `CallReports` reports all of them."""

    def tell(written: Line) -> None:
        if isinstance(written, Turn | End):
            report(line(written))

    return tell


def overlapped(taken_for: str, *, is_right: bool) -> Mapping[str, Any]:
    """The message about one utterance over the agent's speech: what it was taken for, and whether
    rightly (`agent.call.barge_in.outcomes`)."""
    return line(Overlap(at_ms=0, taken_for=taken_for, is_right=is_right))
