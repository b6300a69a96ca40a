"""What happened in the calls, out of what the callers told: greetings, replies, losses."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

__all__ = ["Call", "Turn", "read"]


@dataclass(slots=True)
class Turn:
    """A question and what came after it. Times are in seconds since 1970."""

    line: int
    begins_at: float
    asked_at: float = 0.0
    """When its last sound was sent; 0 until then."""
    ends_at: float = 0.0
    """When the next question began; 0 until then."""
    voices: list[float] = field(default_factory=list)
    """When the agent began to speak."""
    texts: list[str] = field(default_factory=list)
    """What the agent said, as the room's transcript has it."""

    @property
    def reply_seconds(self) -> float | None:
        """From the question's last sound to the reply's first; None: there was none."""
        after = [at for at in self.voices if self.asked_at and at >= self.asked_at]
        return after[0] - self.asked_at if after else None

    def missing(self, question: str) -> int:
        """How many of the question's words the answer does not say back."""
        asked, said = _words(question), _words(" ".join(self.texts))
        pairs = SequenceMatcher(None, asked, said, autojunk=False).get_matching_blocks()
        return len(asked) - sum(each.size for each in pairs)

    @property
    def is_doubled(self) -> bool:
        """Whether the agent spoke more than once."""
        return len(self.voices) > 1


@dataclass(slots=True)
class Call:
    """One call."""

    room: str
    dialled_at: float = 0.0
    joined_at: float = 0.0
    """When the caller was in the room; 0: never."""
    greeted_at: float = 0.0
    """When the agent's first sound came; 0: it did not before the first question."""
    is_broken: bool = False
    """Whether the caller could not join, or was thrown out."""
    turns: list[Turn] = field(default_factory=list)

    @property
    def greeting_seconds(self) -> float | None:
        """From being in the room to the agent's first sound; None: no greeting was heard."""
        return self.greeted_at - self.joined_at if self.greeted_at and self.joined_at else None


def read(events: Iterable[Mapping[str, Any]], caller: str) -> Mapping[str, Call]:
    """The calls by their rooms; `caller` is the identity of those who call."""
    calls: dict[str, Call] = {}
    for event in events:
        if "room" in event:
            room = str(event["room"])
            _take(calls.setdefault(room, Call(room)), event, caller)
    return calls


def _take(call: Call, event: Mapping[str, Any], caller: str) -> None:
    at = float(event["at"])
    match event["event"]:
        case "dialled":
            call.dialled_at = at
        case "joined":
            call.joined_at = at
        case "failed" | "disconnected":
            call.is_broken = True
        case "asks":
            if call.turns:
                call.turns[-1].ends_at = at
            call.turns.append(Turn(int(event["line"]), at))
        case "asked":
            call.turns[-1].asked_at = at
        case "voice" if call.turns:
            call.turns[-1].voices.append(at)
        case "voice":
            call.greeted_at = call.greeted_at or at
        case "text" if call.turns and event["who"] != caller:
            call.turns[-1].texts.append(str(event["text"]))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())
