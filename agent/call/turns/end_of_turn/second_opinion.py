"""When a turn that AssemblyAI has ended is over for the session, and when to ask for its end.

      OPEN --the end, there is a voice or no sure opinion--> HELD
      OPEN --the end, with a sure opinion--> OVER
      HELD --quiet for as long as the opinion asks for--> OVER
      HELD --the caller goes on--> OPEN, and it is one turn

Pure: times are arguments, seconds on any one clock. Words are never held back, only the end is.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Generic, TypeVar

__all__ = ["FORCE_ENDPOINT", "Counts", "EventKind", "Force", "SecondOpinion"]

# How long an end waits for the detector's first opinion on the pause.
OPINION_SECONDS = 0.4
# How long after a voice its words may come; and how much longer an end is held back at most for the
# words of a voice that has come meanwhile.
RECOGNITION_SECONDS = 1.0
WORDS_SECONDS = 2.0


class EventKind(Enum):
    """What an event of the recogniser means here."""

    START = auto()
    WORDS = auto()
    NOTHING = auto()
    """A final text without words: there was no turn to end."""
    END = auto()
    OTHER = auto()


class Force(Enum):
    """Asks the recogniser to end the turn here."""

    ENDPOINT = auto()


FORCE_ENDPOINT: Final = Force.ENDPOINT

Event = TypeVar("Event")


@dataclass(slots=True)
class Counts:
    """How often in a call the second opinion mattered."""

    ends_held_back: int = 0
    """Ends of which the detector was not sure, or had no opinion yet."""
    went_on: int = 0
    """Those after which the caller went on: cut-offs that did not happen."""
    ends_asked_for: int = 0
    """Ends of which the detector was sure before AssemblyAI was."""


class SecondOpinion(Generic[Event]):
    """For one call. Holds an end back, at most until the voice was quiet for `turn_hold_seconds`.

    Every method returns what to do now, in order: events for the session, or `FORCE_ENDPOINT`.
    Call `expire` at the time `deadline`.
    """

    def __init__(self, turn_hold_seconds: float, early_seconds: float) -> None:
        self.early_seconds = early_seconds
        """How long the voice has to be quiet before we ask for an end."""
        self.counts = Counts()
        self._turn_hold_seconds = turn_hold_seconds
        self._is_open = False
        self._has_words = False
        self._held: Event | None = None  # kept while the caller goes on: the source may break off
        self._told_at: float | None = None  # when the held end came; None if the caller went on
        self._ended_at = 0.0
        self._quiet_since: float | None = -math.inf
        self._voice_since = -math.inf
        self._hold_share: float | None = None
        self._asked = False

    @property
    def is_holding(self) -> bool:
        """Whether an end is held back now."""
        return self._told_at is not None

    @property
    def deadline(self) -> float | None:
        """When to call `expire` if nothing happens before; None for never."""
        times = [each for each in (self._release_at(), self._force_at()) if each is not None]
        return min(times, default=None)

    def push(
        self,
        kind: EventKind,
        event: Event,
        now: float,
        *,
        may_wait: bool = True,
        ended_at: float | None = None,
    ) -> "list[Event | Force]":
        """Take the recogniser's next event. Ends are held back only if `may_wait`. `ended_at`: when
        the voice of an end has ended, if that is known."""
        match kind:
            case EventKind.START:
                return self._start(event)
            case EventKind.WORDS:
                self._go_on()
                self._has_words = True
            case EventKind.NOTHING if self._asked:
                return []  # the answer to our own FORCE_ENDPOINT
            case EventKind.END:
                self._ended_at = now if ended_at is None else ended_at
                return self._end(event, now, may_wait=may_wait)
            case _:
                pass
        return [event]

    def voice(self, now: float) -> "list[Event | Force]":
        """The caller's voice is there again."""
        self._quiet_since, self._voice_since = None, now
        self._hold_share, self._asked = None, False
        return []

    def quiet(self, since: float, now: float) -> "list[Event | Force]":
        """The voice has been quiet since `since`."""
        self._quiet_since = since
        return self.expire(now)

    def on_opinion(self, hold_share: float, now: float) -> "list[Event | Force]":
        """Take the opinion on the current pause: for which part of `turn_hold_seconds` an end is
        held back, from 0 (the turn is surely over) to 1 (the caller is in mid-sentence)."""
        self._hold_share = hold_share
        return self.expire(now)

    def expire(self, now: float) -> "list[Event | Force]":
        """Do what is due at `now`."""
        release_at, force_at = self._release_at(), self._force_at()
        if release_at is not None and release_at <= now:
            return self.close()
        if force_at is not None and force_at <= now:
            self._asked = True
            self.counts.ends_asked_for += 1
            return [FORCE_ENDPOINT]
        return []

    def close(self) -> "list[Event | Force]":
        """Let through what is held back."""
        held, self._held, self._told_at = self._held, None, None
        return [] if held is None else [held]

    def _start(self, event: Event) -> "list[Event | Force]":
        self._is_open, self._has_words = True, False
        if self._held is None:
            return [event]
        self._go_on()
        return []

    def _go_on(self) -> None:
        """The caller goes on in the same turn. Its end is dropped, unless the source fails."""
        if self._told_at is not None:
            self._told_at, self._is_open = None, True
            self.counts.went_on += 1

    def _end(self, event: Event, now: float, *, may_wait: bool) -> "list[Event | Force]":
        self._is_open = self._has_words = self._asked = False
        self._held, self._told_at = event, now
        due = self.expire(now) if may_wait else self.close()
        self.counts.ends_held_back += not due
        return due

    def _release_at(self) -> float | None:
        if self._told_at is None:
            return None
        latest = self._told_at + self._turn_hold_seconds + WORDS_SECONDS
        goes_on = self._voice_since > self._ended_at
        if self._quiet_since is None:  # there is a voice, which may be an endless hum
            return latest if goes_on else self._told_at + OPINION_SECONDS
        if self._hold_share is not None:
            due = self._quiet_since + self._turn_hold_seconds * self._hold_share
        else:
            due = max(self._told_at, self._quiet_since) + OPINION_SECONDS
            due = min(due, self._quiet_since + self._turn_hold_seconds)
        return min(latest, max(due, self._quiet_since + RECOGNITION_SECONDS) if goes_on else due)

    def _force_at(self) -> float | None:
        if self._asked or not (self._is_open and self._has_words) or self._hold_share != 0:
            return None
        return None if self._quiet_since is None else self._quiet_since + self.early_seconds
