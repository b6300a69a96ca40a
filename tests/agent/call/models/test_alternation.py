"""A history as servers take it whose template wants the roles to alternate."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import ChatContext
from livekit.agents.llm import FunctionCall, FunctionCallOutput

from agent.call.models.alternation import OPENING, Order, in_order, wanted_order

roles = st.lists(st.sampled_from(["user", "assistant", "system", "developer"]), max_size=12)


def history(told: list[Any]) -> ChatContext:
    chat = ChatContext.empty()
    for number, role in enumerate(told):
        chat.add_message(role=role, content=f"<{number}>")
    return chat


def words(chat: ChatContext) -> str:
    texts = [each.text_content or "" for each in chat.messages()]
    return " ".join(" ".join(texts).replace(OPENING, "").split())


@given(roles, st.sampled_from([Order.ALTERNATING, Order.WITHOUT_SYSTEM]))
def test_user_and_assistant_take_turns_and_no_word_is_lost(told: list[Any], order: Order) -> None:
    given = history(told)
    ordered = in_order(given, order)
    shown = [each.role for each in ordered.messages()]
    if order is Order.ALTERNATING and told[:1] in (["system"], ["developer"]):
        shown = shown[1:]
    assert set(shown) <= {"user", "assistant"}
    assert shown[:1] in ([], ["user"])
    assert all(one != other for one, other in pairwise(shown))
    assert words(ordered) == words(given)
    assert [each.role for each in given.messages()] == told


def test_calls_of_tools_stay_where_they_are() -> None:
    chat = history(["system", "user", "user"])
    call = FunctionCall(call_id="1", name="one", arguments="{}")
    output = FunctionCallOutput(call_id="1", name="one", output="x", is_error=False)
    chat.insert([call, output])
    chat.add_message(role="assistant", content="done")
    types = [each.type for each in in_order(chat, Order.ALTERNATING).items]
    assert types == ["message", "message", "function_call", "function_call_output", "message"]


TEMPLATES = {
    "Conversation roles must alternate user/assistant/user/assistant/...": Order.ALTERNATING,
    "After the optional system message, conversation roles must alternate user and assistant"
    " roles except for tool calls and results.": Order.ALTERNATING,
    'messages: roles must alternate between "user" and "assistant"': Order.ALTERNATING,
    "System role not supported": Order.WITHOUT_SYSTEM,
    "Only user and assistant roles are supported!": Order.WITHOUT_SYSTEM,
    "Only user, assistant and tool roles are supported": Order.WITHOUT_SYSTEM,
    "the model does not exist": Order.ANY,
    "": Order.ANY,
}


@pytest.mark.parametrize(("refusal", "order"), TEMPLATES.items())
def test_a_templates_refusal_is_understood(refusal: str, order: Order) -> None:
    assert wanted_order(refusal) is order
