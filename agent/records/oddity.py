"""One thing that was odd in a call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Oddity:
    """What was odd, and what to do about it."""

    kind: str
    """A short name for it, such as `slow_reply`, for lists and filters."""
    sentence: str
    """The whole, to be read alone."""
    turn: int | None = None
    """The first turn that it belongs to; None for the call."""
    hint: str = ""
    """What to turn or to look at; empty if there is nothing."""
    also: tuple[int, ...] = ()
    """Further turns that it belongs to."""
