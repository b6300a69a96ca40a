"""The stand-in's answers: rules, so that each answer can be checked. Pure.

It answers to unformatted lower-case text as well as to sentences, numbers in words or digits.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from workbench.standins.openai_v1.conversation import Messages, Reply, content_text, question_of
from workbench.standins.openai_v1.rules import RULES
from workbench.standins.openai_v1.tool_choice import suitable_call


def reply_to(messages: Messages, tools: Sequence[Mapping[str, Any]], now: datetime) -> Reply:
    """The answer to a conversation in the form of `/v1/chat/completions`.

    A tool's result is told; a tool that suits is called; a rule that fits answers; what is left
    is said back.
    """
    if messages and messages[-1].get("role") == "tool":
        return Reply(_report(content_text(messages[-1])))
    question = question_of(messages, now)
    if not question.words:
        return Reply(f"Hello, this is {question.name}. How can I help you?")
    call = suitable_call(question, tools)
    if call is not None:
        return Reply(tool_calls=(call,))
    answers = (rule(question) for rule in RULES)
    return Reply(next(filter(None, answers), f"You said: {question.text}"))


def _report(result: str) -> str:
    try:
        value = json.loads(result)
    except ValueError:
        value = result
    if isinstance(value, dict):
        value = ", ".join(f"{name} {item}" for name, item in value.items())
    return f"Here is what I found: {str(value).strip().rstrip('.')}."
