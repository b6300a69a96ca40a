"""Which tool suits a question, and what it is called with."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.standins.numerals import NUMBER, parse_number
from workbench.standins.openai_v1.conversation import Question, ToolCall

SAYS_NOTHING = frozenset(
    "a an call check current do fetch find get give look lookup my tell the up".split()  # noqa: SIM905  read as a sentence
)
SYNONYMS = {"end": r"end|goodbye|bye|hang up", "transfer": r"transfer|human|person|somebody"}


def suitable_call(question: Question, tools: Sequence[Mapping[str, Any]]) -> ToolCall | None:
    """The first tool whose name's words are all in the question, with arguments from there."""
    for tool in tools:
        function: Mapping[str, Any] = tool.get("function") or {}
        name = str(function.get("name", ""))
        parts = [p for p in re.findall(r"[a-z]+", name.lower()) if p not in SAYS_NOTHING]
        patterns = [rf"\b(?:{SYNONYMS.get(part, part)})" for part in parts]
        if patterns and all(re.search(pattern, question.words) for pattern in patterns):
            return ToolCall(name, _arguments(question.words, function.get("parameters") or {}))
    return None


def _arguments(words: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """One for each required parameter: a number, a choice, or what comes after in, for, to."""
    numbers = iter(re.findall(NUMBER, words))
    properties: Mapping[str, Any] = schema.get("properties") or {}
    names = schema.get("required", properties)
    return {name: _argument(words, numbers, properties.get(name) or {}) for name in names}


def _argument(words: str, numbers: Iterator[str], described: Mapping[str, Any]) -> Any:
    choices = described.get("enum")
    if choices:
        return next((each for each in choices if str(each).lower() in words), choices[0])
    match described.get("type"):
        case "integer" | "number":
            return parse_number(next(numbers, "1"))
        case "boolean":
            return True
        case _:
            after = re.search(r"\b(?:in|for|to|at|of|about)\s+(?:the\s+)?(.+)$", words)
            return after[1] if after else words
