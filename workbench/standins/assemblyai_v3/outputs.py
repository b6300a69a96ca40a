"""What the pure session wants done: the socket shell does it, in order."""

from dataclasses import dataclass

from workbench.standins.assemblyai_v3.messages import NORMAL_REASON, Message


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message, `delay_ms` after it was decided and never before an earlier one."""

    message: Message
    delay_ms: float = 0


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """The open turn is over: the recognizer may forget it. Nothing goes over the wire."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Send an Error, then close with the same code."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close in the normal way."""

    code: int = 1000
    reason: str = NORMAL_REASON


Output = Send | TurnEnd | Fail | Close
