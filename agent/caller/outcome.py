"""How a call went, as a value, and the exit code that a pipeline reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from agent.caller.conversation import Turn
from agent.caller.transcript import words


class Exit(IntEnum):
    """The exit codes of `call`; docs/troubleshooting.md has the same table."""

    HEARD = 0
    USAGE = 2
    NOT_CONNECTED = 3
    NO_AGENT = 4
    NOTHING_HEARD = 5
    NOT_EXPECTED = 6
    TOO_LATE = 7


MEANINGS = {
    Exit.HEARD: "the agent answered everything, as expected and in time",
    Exit.USAGE: "an option, a file or a setting is wrong",
    Exit.NOT_CONNECTED: "LiveKit cannot be reached, or lets nobody in",
    Exit.NO_AGENT: "no agent came into the room, or none was free",
    Exit.NOTHING_HEARD: "the agent said nothing, or left something unanswered",
    Exit.NOT_EXPECTED: "the agent did not say what `--expect` names",
    Exit.TOO_LATE: "an answer began later than `--within` allows",
}


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the agent said by itself, and how many seconds after the caller had joined."""

    text: str
    after_seconds: float


@dataclass(slots=True)
class Call:
    """A call as far as it has come."""

    room: str
    agent: str | None = None
    """The agent's identity; None if none came."""
    greeting: Greeting | None = None
    turns: list[Turn] = field(default_factory=list)
    trouble: str = ""
    """What kept the call from going on, in words; empty if nothing did."""

    @property
    def said(self) -> str:
        """All that the agent said."""
        first = [self.greeting.text] if self.greeting else []
        return " ".join([*first, *(turn.reply_text for turn in self.turns)])

    @property
    def latencies_ms(self) -> list[float]:
        """From each end of the caller's speech to the first sound of the answer."""
        return [turn.reply.latency_ms for turn in self.turns if turn.reply]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a call is measured by. Texts are compared by their words alone."""

    texts: Sequence[str] = ()
    within_seconds: float | None = None


def judge(call: Call, expected: Expected) -> Exit:
    """The exit code of a call that was joined."""
    if call.agent is None:
        return Exit.NO_AGENT
    heard = bool(call.greeting or call.latencies_ms)
    if not heard or len(call.latencies_ms) < len(call.turns):
        return Exit.NOTHING_HEARD
    if unsaid(call, expected.texts):
        return Exit.NOT_EXPECTED
    if late_ms(call, expected.within_seconds):
        return Exit.TOO_LATE
    return Exit.HEARD


def unsaid(call: Call, texts: Sequence[str]) -> list[str]:
    """Those of the texts that the agent did not say: whole words, in any case and punctuation."""
    said = f" {words(call.said)} "
    return [text for text in texts if f" {words(text)} " not in said]


def late_ms(call: Call, within_seconds: float | None) -> list[float]:
    """The latencies that are longer than allowed."""
    if within_seconds is None:
        return []
    return [each for each in call.latencies_ms if each > within_seconds * 1000]
