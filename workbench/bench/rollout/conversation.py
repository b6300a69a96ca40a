"""What callers say during a rollout, and what became of each turn, out of what they told."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from workbench.bench.latency.dialogue import Line

__all__ = ["LINES", "Agent", "Call", "Span", "Turn", "differ", "read"]

LINES = (
    Line(("What time do you open tomorrow?",)),
    Line(("I would like to book a table", "for two people tomorrow evening."), 0.7, 0.2),
    Line(("Can you help me with my order?",)),
    Line(("My name is Clara and I am calling about a parcel.",)),
    Line(("Could you tell me", "when the last train leaves?"), 0.9, 0.1),
    Line(("I want to cancel my appointment on Monday.",)),
)
"""Two of them with a pause in which nobody may answer."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one agent's voice. Times are in seconds since 1970."""

    who: str
    begins_at: float
    ends_at: float
    gap_seconds: float
    """The longest silence in it."""


@dataclass(slots=True)
class Turn:
    """A question and what came after it, up to the next one."""

    number: int
    begins_at: float
    asked_at: float = 0.0
    """When its last sound was sent; 0 until then."""
    ends_at: float = 0.0
    """When the next question began; 0 until then."""
    heard: dict[str, str] = field(default_factory=dict)
    """The caller's words as screens show them, by segment."""
    said: list[str] = field(default_factory=list)
    """The agent's words as screens show them."""
    spans: list[Span] = field(default_factory=list)

    @property
    def line(self) -> Line:
        return LINES[self.number % len(LINES)]

    @property
    def is_over(self) -> bool:
        """Whether all of it is known."""
        return self.asked_at > 0 and self.ends_at > 0

    @property
    def reply_seconds(self) -> float | None:
        """From the question's last sound to the reply's first; None: there was none."""
        after = [each.begins_at for each in self.spans if each.begins_at >= self.asked_at]
        return min(after) - self.asked_at if self.asked_at and after else None

    @property
    def gap_seconds(self) -> float:
        """The longest silence inside the reply; a pause that parts it into spans is one."""
        spans = sorted(self.spans, key=lambda each: each.begins_at)
        between = [b.begins_at - a.ends_at for a, b in pairwise(spans)]
        return max([each.gap_seconds for each in spans] + between, default=0.0)

    def words(self) -> tuple[int, int]:
        """How many of the caller's words screens lack, and how many they show too often."""
        return differ(self.line.text, " ".join(self.heard.values()))

    @property
    def expected(self) -> str:
        """The answer: all that was asked so far is in it, as a number of questions and of words."""
        asked = [LINES[each % len(LINES)].text.split() for each in range(self.number + 1)]
        return (
            f"You asked {self.line.text} "
            f"which makes {len(asked)} questions of {sum(map(len, asked))} words."
        )

    def answer(self) -> tuple[int, int]:
        """How many words the answer lacks, and how many it has too many."""
        return differ(self.expected, " ".join(self.said))


@dataclass(slots=True)
class Agent:
    """One agent in a caller's room."""

    who: str
    came_at: float
    went_at: float = 0.0
    """0: it stayed."""
    shows: list[tuple[float, Mapping[str, str]]] = field(default_factory=list)
    """Its attributes as they changed."""

    def first_showed(self, attribute: str) -> float | None:
        """When an attribute first had a value."""
        return next((at for at, changed in self.shows if changed.get(attribute)), None)


@dataclass(slots=True)
class Call:
    """One call."""

    room: str
    is_broken: bool = False
    """Whether the caller could not join, or was thrown out."""
    has_left: bool = False
    turns: list[Turn] = field(default_factory=list)
    agents: dict[str, Agent] = field(default_factory=dict)


def differ(expected: str, found: str) -> tuple[int, int]:
    """How many words are missing, and how many there are too many."""
    wanted, had = _words(expected), _words(found)
    pairs = SequenceMatcher(None, wanted, had, autojunk=False).get_matching_blocks()
    common = sum(each.size for each in pairs)
    return len(wanted) - common, len(had) - common


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
        case "left":
            call.has_left = True
        case "failed" | "disconnected":
            call.is_broken = call.is_broken or not call.has_left
        case "asks":
            if call.turns:
                call.turns[-1].ends_at = at
            call.turns.append(Turn(int(event["line"]), at))
        case "asked":
            call.turns[-1].asked_at = at
        case "spoke":
            begins_at = float(event["from"])
            span = Span(event["who"], begins_at, event["until"], event["gap_ms"] / 1000)
            if turn := _turn_at(call.turns, begins_at):
                turn.spans.append(span)
        case "text":
            _take_text(call, event, caller, at)
        case "came" | "went" | "shows" if event["who"] != caller:
            _take_agent(call.agents, event, at)


def _take_text(call: Call, event: Mapping[str, Any], caller: str, at: float) -> None:
    turn = _turn_at(call.turns, at)
    if not turn:
        return
    if event["who"] != caller:
        turn.said.append(str(event["text"]))
        return
    segment = str(event["segment"])
    # What is formatted late belongs to the turn in which it was first shown.
    known = next((each for each in call.turns if segment in each.heard), turn)
    known.heard[segment] = str(event["text"])


def _take_agent(agents: dict[str, Agent], event: Mapping[str, Any], at: float) -> None:
    agent = agents.setdefault(event["who"], Agent(event["who"], at))
    if event["event"] == "went":
        agent.went_at = at
    else:
        agent.shows.append((at, event["shows"]))


def _turn_at(turns: Sequence[Turn], at: float) -> Turn | None:
    return next((each for each in reversed(turns) if each.begins_at <= at), None)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())
