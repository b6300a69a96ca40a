"""Whether now is a good moment to give a call to another agent, and up to where it was heard.

Pure. Times are wall times in unix seconds.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

QUIET_SECONDS = 0.2
"""How long nobody has spoken."""
GAP_SECONDS = 0.25
"""A pause of the voice in which two speech recognitions agree what is on its two sides."""
AFTER_WORDS_SECONDS = 0.5
"""The longest time between the end of the last words and the cut."""
REPORTED_SECONDS = 3.0
"""What was said longer ago has become words by now, if it were any."""
REMEMBERED_SECONDS = 30.0
TAIL_SECONDS = 0.2
"""A voice that is detected so shortly after the words' end belongs to these."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is under way in a call."""

    agent_listens: bool
    """The agent is silent, and no speech, tool or reply is pending."""
    caller_is_heard: bool
    """Words of the caller are open, or wait for the end of their turn."""
    is_typing: bool = False
    """A typed text has come and is not answered yet."""
    is_deaf: bool = False
    """Speech recognition has no session."""
    is_asking: bool = False
    """The agent waits for the caller's answer about recording."""
    is_restorable: bool = True
    """The agent that answers is the first one: another cannot be made again elsewhere."""


def is_boundary(facts: Facts, quiet_seconds: float) -> bool:
    """Whether the call can change hands now. `quiet_seconds`: how long the caller's voice has been
    quiet."""
    return (
        facts.agent_listens
        and facts.is_restorable
        and not (facts.caller_is_heard or facts.is_typing or facts.is_deaf or facts.is_asking)
        and quiet_seconds >= QUIET_SECONDS
    )


class Voice:
    """When the caller's voice was heard lately, as the voice detector says."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._spans: deque[tuple[float, float]] = deque()

    def heard(self, at: float) -> None:
        """There is a voice at this moment."""
        if self._spans and at - self._spans[-1][1] < GAP_SECONDS:
            self._spans[-1] = self._spans[-1][0], at
        else:
            self._spans.append((at, at))
        while self._spans[0][1] < at - REMEMBERED_SECONDS:
            self._since = self._spans.popleft()[1]

    def quiet_seconds(self, now: float) -> float:
        """How long it has been quiet."""
        return now - (self._spans[-1][1] if self._spans else self._since)

    def pauses(self, now: float) -> Iterator[tuple[float, float]]:
        """Its pauses, oldest first: each from its beginning to its end; the last one goes on."""
        begin = self._since
        for first, last in self._spans:
            yield begin, first
            begin = last
        yield begin, now


def cut_of(voice: Voice, words_until: float | None, now: float) -> float:
    """Up to where the call was heard by the one who gives it up, now that it is at a boundary.

    `words_until` is where the last words ended that were dealt with. The cut lies in the first
    pause after them, since what was said later is not known here yet; but not long ago: whatever
    words there were then are known.
    """
    known_until = now - REPORTED_SECONDS
    if words_until is not None:
        known_until = max(known_until, words_until)
    for begin, end in voice.pauses(now):
        begin = max(begin, known_until - TAIL_SECONDS)
        if end - begin >= QUIET_SECONDS:
            middle = (begin + end) / 2
            return max(known_until, min(middle, begin + AFTER_WORDS_SECONDS))
    return now
