"""Histories for servers that want the roles to alternate: user, assistant, user, ... Pure.

The chat templates of several open models refuse any other order, and some refuse a system message.
LiveKit's histories have both: the agent greets first, and a caller says two things in a row.
"""

import re
from enum import IntEnum
from typing import Literal

from livekit.agents.llm import ChatContext, ChatItem, ChatMessage

# Errors of the templates of Mistral, Gemma and Llama 2, as vLLM and llama.cpp pass them on.
_ALTERNATE = re.compile(r"roles? (must|should) alternate|alternating roles", re.IGNORECASE)
_NO_SYSTEM = re.compile(
    r"system role (is )?not supported|only user(,| and) (assistant|model)[\w ,]* roles",
    re.IGNORECASE,
)
# The first message of a caller who has said nothing yet.
OPENING = "(The call begins.)"


class Order(IntEnum):
    """The order of messages that a server takes."""

    ANY = 0
    ALTERNATING = 1
    """After the instructions, user and assistant take turns, and the user begins."""
    WITHOUT_SYSTEM = 2
    """The same, with the instructions in the user's first message."""


def wanted_order(refusal: str) -> Order:
    """The order that a server's refusal asks for; ANY if the refusal is about something else."""
    if _NO_SYSTEM.search(refusal):
        return Order.WITHOUT_SYSTEM
    return Order.ALTERNATING if _ALTERNATE.search(refusal) else Order.ANY


def in_order(history: ChatContext, order: Order) -> ChatContext:
    """The history in an order that the server takes. Nothing is left out: neighbours with the same
    role become one message, and tool calls stay where they are."""
    if order is Order.ANY:
        return history
    items = list(history.items)
    keeps_system = order is Order.ALTERNATING and bool(items) and not _is_said(items[0])
    ordered: list[ChatItem] = []
    for item in items[keeps_system:]:
        if not isinstance(item, ChatMessage):
            ordered.append(item)
            continue
        role: Literal["assistant", "user"] = "assistant" if item.role == "assistant" else "user"
        if not ordered and role == "assistant":
            ordered.append(ChatMessage(role="user", content=[OPENING]))
        before = ordered[-1] if ordered else None
        if isinstance(before, ChatMessage) and before.role == role:
            ordered[-1] = before.model_copy(update={"content": [*before.content, *item.content]})
        else:
            ordered.append(item.model_copy(update={"role": role}))
    return ChatContext([*items[:keeps_system], *ordered])


def _is_said(item: ChatItem) -> bool:
    return not isinstance(item, ChatMessage) or item.role in ("user", "assistant")
