"""The mind of the stand-in: rules, so that each answer can be checked. Pure.

It answers to unformatted lower-case text as well as to sentences, numbers in words or digits.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.loopback.numerals import NUMBER, parse_number, spoken

DEFAULT_NAME = "Alex"
OPERATORS = {
    "plus": r"\+|plus|and",
    "minus": r"-|minus|less",
    "times": r"\*|x|times|multiplied by",
    "divided by": r"/|divided by|over",
}
NOT_A_NAME = frozenset(
    [
        "a",
        "an",
        "the",
        "on",
        "in",
        "here",
        "now",
        "not",
        "also",
        "always",
        "helpful",
        "friendly",
        "very",
        "speaking",
        "talking",
    ]
)
STORY = (
    "Once upon a time there was a lighthouse on a small island.",
    "Its keeper was an old woman who knew every ship by its light.",
    "One night a storm came up from the west, and the lamp went out.",
    "She climbed the two hundred steps in the dark with a lantern in her hand.",
    "Far below, a fishing boat was looking for the harbour.",
    "She waved the lantern until her arms were tired, and the boat turned away from the rocks.",
    "In the morning the fishermen brought her a basket of fresh bread.",
    "From that day on, they lit a second lamp in the village every night.",
)


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
class _Question:
    text: str
    """What the user said last, as it stands."""
    words: str
    """The same in lower case, without commas and full stops."""
    name: str
    now: datetime


def reply_to(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], now: datetime
) -> Reply:
    """The answer to a conversation in the form of `/v1/chat/completions`."""
    last = messages[-1] if messages else {}
    if last.get("role") == "tool":
        return Reply(_after_tool(content_text(last)))
    text = next((content_text(m) for m in reversed(messages) if m.get("role") == "user"), "")
    words = re.sub(r"[^\w\s'+*/-]", " ", text.lower().replace("\u2019", "'"))
    question = _Question(text.strip(), " ".join(words.split()), _name(messages), now)
    if not question.words:
        return Reply(f"Hello, this is {question.name}. How can I help you?")
    call = _tool_call(question, tools)
    if call is not None:
        return Reply(tool_calls=(call,))
    answers = (rule(question) for rule in RULES)
    return Reply(next(filter(None, answers), f"You said: {question.text}"))


def content_text(message: Mapping[str, Any]) -> str:
    """A message's text, whether its content is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content if part.get("type") == "text")


def _name(messages: Sequence[Mapping[str, Any]]) -> str:
    for message in messages:
        if message.get("role") not in {"system", "developer"}:
            continue
        for found in re.finditer(
            r"(?i:\b(?:your name is|you are|you're|named|called))\s+([A-Z][a-z]+)",
            content_text(message),
        ):
            if found[1].lower() not in NOT_A_NAME:
                return found[1]
    return DEFAULT_NAME


def _after_tool(result: str) -> str:
    """Says what a tool answered."""
    try:
        value = json.loads(result)
    except ValueError:
        value = result
    if isinstance(value, dict):
        value = ", ".join(f"{name} {item}" for name, item in value.items())
    return f"Here is what I found: {str(value).strip().rstrip('.')}."


def _repeat(question: _Question) -> str | None:
    found = re.search(
        r"\b(?:repeat|say) after me[\s:,.]*(.+)", question.text, re.IGNORECASE | re.DOTALL
    )
    return found[1].strip() if found else None


def _spell(question: _Question) -> str | None:
    found = re.search(
        r"\bspell(?: back| out)?(?: the word| my name| the name)? (\w+)", question.words
    )
    if found is None:
        return None
    return f"{found[1].capitalize()} is spelled {', '.join(found[1].upper())}."


def _count(question: _Question) -> str | None:
    found = re.search(
        rf"\bcount (?:up )?(?:from {NUMBER} )?(?:to|up to|till|until) ({NUMBER})", question.words
    )
    if found is None:
        return None
    numbers = [spoken(each) for each in range(1, min(100, parse_number(found[1])) + 1)]
    lines = (numbers[start : start + 5] for start in range(0, len(numbers), 5))
    return " ".join(f"{', '.join(line).capitalize()}." for line in lines)


def _story(question: _Question) -> str | None:
    return " ".join(STORY) if re.search(r"\b(story|tale)\b", question.words) else None


def _arithmetic(question: _Question) -> str | None:
    operators = "|".join(f"(?P<o{i}>{pattern})" for i, pattern in enumerate(OPERATORS.values()))
    found = re.search(
        rf"(?P<left>{NUMBER})\s*(?:{operators})\s*(?P<right>{NUMBER})", question.words
    )
    if found is None:
        return None
    index = next(i for i in range(len(OPERATORS)) if found[f"o{i}"] is not None)
    operator = list(OPERATORS)[index]
    if found[f"o{index}"] == "and" and not re.search(r"\b(sum|add|together)\b", question.words):
        return None
    left, right = parse_number(found["left"]), parse_number(found["right"])
    result = _result(left, operator, right)
    return f"{spoken(left).capitalize()} {operator} {spoken(right)} is {result}."


def _result(left: int, operator: str, right: int) -> str:
    match operator:
        case "plus":
            return spoken(left + right)
        case "minus":
            return spoken(left - right)
        case "times":
            return spoken(left * right)
        case _ if right == 0:
            return "not defined"
        case _:
            whole, rest = divmod(left, right)
            return spoken(whole) + (f" with remainder {spoken(rest)}" if rest else "")


def _name_question(question: _Question) -> str | None:
    if re.search(
        r"\b(your name|who are you|who am i (speaking|talking) (to|with))\b", question.words
    ):
        return f"My name is {question.name}."
    return None


def _date(question: _Question) -> str | None:
    if re.search(
        r"\bwhat('s| is)?( the)? (day|date|today)|today's date|what day is", question.words
    ):
        return f"Today is {question.now:%A, %B} {question.now.day}, {question.now.year}."
    return None


def _time(question: _Question) -> str | None:
    if re.search(r"\bwhat('s| is)?( the)? time\b|what time is it|tell me the time", question.words):
        hour = question.now.hour % 12 or 12
        half = "a.m." if question.now.hour < 12 else "p.m."
        return f"It is {hour}:{question.now:%M} {half}"
    return None


def _courtesy(question: _Question) -> str | None:
    if re.search(r"\b(goodbye|bye|bye-bye)\b", question.words):
        return "Goodbye!"
    if re.search(r"\bthank(s| you)\b", question.words):
        return "You're welcome."
    if re.fullmatch(
        r"(hello|hi|hey|good (morning|afternoon|evening))( there| alex)?", question.words
    ):
        return f"Hello! I'm {question.name}."
    return None


RULES: tuple[Callable[[_Question], str | None], ...] = (
    _repeat,
    _spell,
    _count,
    _story,
    _arithmetic,
    _name_question,
    _time,
    _date,
    _courtesy,
)


def _tool_call(question: _Question, tools: Sequence[Mapping[str, Any]]) -> ToolCall | None:
    """The first tool whose name's words are all in the question, with arguments from there."""
    for tool in tools:
        function = tool.get("function", {})
        parts = [
            p
            for p in re.findall(r"[a-z]+", str(function.get("name", "")).lower())
            if p not in VERBS
        ]
        if parts and all(re.search(rf"\b{part}", question.words) for part in parts):
            return ToolCall(
                function["name"], _arguments(question, function.get("parameters") or {})
            )
    return None


VERBS = frozenset(
    [
        "get",
        "look",
        "lookup",
        "up",
        "find",
        "fetch",
        "tell",
        "give",
        "check",
        "current",
        "the",
        "a",
        "an",
        "my",
        "call",
        "do",
    ]
)


def _arguments(question: _Question, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each required parameter: a number, a choice, or the words after in/for/to."""
    numbers = iter(re.findall(NUMBER, question.words))
    after = re.search(r"\b(?:in|for|to|at|of|about)\s+(?:the\s+)?(.+)$", question.words)
    phrase = after[1] if after else question.words
    properties: Mapping[str, Any] = schema.get("properties") or {}
    arguments: dict[str, Any] = {}
    for name in schema.get("required") or properties:
        described = properties.get(name) or {}
        match described.get("type"):
            case "integer" | "number":
                found = next(numbers, None)
                arguments[name] = parse_number(found) if found is not None else 1
            case "boolean":
                arguments[name] = True
            case _ if described.get("enum"):
                choices = described["enum"]
                arguments[name] = next(
                    (c for c in choices if str(c).lower() in question.words), choices[0]
                )
            case _:
                arguments[name] = phrase
    return arguments
