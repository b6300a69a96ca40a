"""What each caller says, and what is told of a call."""

from dataclasses import dataclass, field

from agent.caller.transcript import words
from workbench.bench.latency.dialogue import Line

LINES = (
    Line(("What time do you open?",)),
    Line(("Hi there.", "I would like to book a table."), 0.3, 0.4),
    Line(("Can you help me with my order?",)),
    Line(("Could you tell me", "when the last train leaves?"), 0.7, 0.1),
    Line(("I want to cancel my appointment.",)),
    Line(("Yes, that is right,", "thank you very much."), 0.09, 0.8),
)
"""Three without a pause, two with one in which nobody should think that it is the end, and one with
a breath that sounds like it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line as it went; times in seconds."""

    text: str
    reply_seconds: float | None
    """From the end of the caller's voice to the first sound of the reply."""
    heard: tuple[str, ...]
    """What the agent took for one turn each."""

    @property
    def words_lost(self) -> int:
        """Words that are in none of the turns."""
        left = words(" ".join(self.heard)).split()
        lost = 0
        for each in words(self.text).split():
            if each in left:
                left.remove(each)
            else:
                lost += 1
        return lost

    @property
    def cuts(self) -> int:
        """How many turns were made of it beyond one."""
        return max(0, len([each for each in self.heard if words(each)]) - 1)


@dataclass(frozen=True, slots=True)
class CallerTold:
    """One caller's call."""

    greeted_seconds: float | None
    """From when the caller was in the room to the greeting's first sound."""
    told_to_wait: bool
    lines: tuple[Told, ...] = field(default=())
