"""What the responder reads and gives: a conversation as chat completions have it, and a reply."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Messages = Sequence[Mapping[str, Any]]
DEFAULT_NAME = "Alex"
NOT_A_NAME = frozenset("A An Also Always Friendly Helpful Here In Not Now On The Very".split())  # noqa: SIM905  read as a sentence


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants this function called."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answers: words, or calls of tools, never both."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What the user said last, and what it takes to answer it."""

    text: str
    """As it stands."""
    words: str
    """In lower case, without commas and full stops."""
    earlier: tuple[str, ...]
    """What the user said before, newest first."""
    name: str
    """The assistant's own."""
    now: datetime


def question_of(messages: Messages, now: datetime) -> Question:
    """An empty one if the user has not said anything."""
    said = [content_text(m).strip() for m in reversed(messages) if m.get("role") == "user"]
    text = said[0] if said else ""
    return Question(text, simplified(text), tuple(said[1:]), assistant_name(messages), now)


def simplified(text: str) -> str:
    """Lower case, single spaces, no hyphens in words, and of marks only those of arithmetic."""
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower().replace("\u2019", "'"))
    return " ".join(re.sub(r"[^\w\s'+*/-]", " ", text).split())


def content_text(message: Mapping[str, Any]) -> str:
    """A message's text, whether its content is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content if part.get("type") == "text")


def assistant_name(messages: Messages) -> str:
    """What the instructions call it, or else Alex."""
    introduction = r"(?i:\b(?:your name is|you are|you're|named|called))\s+([A-Z][a-z]+)"
    for message in messages:
        if message.get("role") in {"system", "developer"}:
            for found in re.finditer(introduction, content_text(message)):
                if found[1] not in NOT_A_NAME:
                    return found[1]
    return DEFAULT_NAME
