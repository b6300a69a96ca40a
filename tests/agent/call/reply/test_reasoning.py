"""What a model writes beside its answer is neither spoken, nor shown, nor sent to it again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import llm

from agent.call.reply.reasoning import LONGEST_HELD, Reasoning


async def said(reasoning: Reasoning, *pieces: str) -> str:
    """What is left of an answer that comes in these pieces."""

    async def answer() -> AsyncIterator[str]:
        for piece in pieces:
            yield piece

    return "".join([str(chunk) async for chunk in reasoning.without(answer())])


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("<think>They want the time.</think>It is seven.", "It is seven."),
        ("<thinking>Hm.</thinking>\nIt is seven.", "\nIt is seven."),
        ("<THINK>Hm.</Think>It is seven.", "It is seven."),
        ('Yes.<tool_call>{"name": "end_call", "arguments": {}}</tool_call> Bye.', "Yes. Bye."),
        ('Yes.<tool_call>{"name": "end_call"}', "Yes."),
        ('<function=end_call>{"a": 1}</function>Bye.', "Bye."),
        ('<invoke name="end_call"><parameter name="a">1</parameter></invoke>Bye.', "Bye."),
        ("<think>no <tool_call>x</tool_call> yet</think>Bye.", "Bye."),
        ("Bye.<|im_end|>", "Bye."),
        ("It is seven.</think>", "It is seven."),
        ("<think>They want", ""),
        ("a < b, <b>bold</b>, <thinker>, 3 <", "a < b, <b>bold</b>, <thinker>, 3 <"),
        ("", ""),
    ],
)
async def test_what_is_no_answer_is_left_out(answer: str, left: str) -> None:
    assert await said(Reasoning(), *answer) == left


@pytest.mark.parametrize("text", ["a", "<", "<t", "</thin", "<think>", "<|", "x > y"])
async def test_an_answer_of_one_piece_and_of_many_is_the_same(text: str) -> None:
    whole = f"Well, {text} that <think>is{text}</think>{text} it."
    assert await said(Reasoning(), whole) == await said(Reasoning(), *whole)


async def test_reasoning_that_the_prompt_has_opened_is_left_out_from_the_next_answer_on() -> None:
    reasoning = Reasoning()
    assert await said(reasoning, "They greet me. ", "</think>", "Hello.") == "They greet me. Hello."
    assert await said(reasoning, "They want ", "the time.</thi", "nk>It is ", "seven.") == (
        "It is seven."
    )


async def test_a_model_that_stops_to_reason_is_heard_late_once_and_then_as_always() -> None:
    reasoning = Reasoning()
    await said(reasoning, "Hm.", "</think>", "Hello.")
    assert await said(reasoning, "It is ", "seven.") == "It is seven."
    chunks = reasoning.without(_pieces("It is ", "seven."))
    assert await anext(chunks) == "It is "


async def test_an_answer_without_an_end_of_its_reasoning_is_not_held_for_ever() -> None:
    reasoning = Reasoning()
    await said(reasoning, "Hm.", "</think>", "Hello.")
    chunks = reasoning.without(_pieces("word " * (LONGEST_HELD // 5 + 1), "more"))
    assert await anext(chunks)


async def test_tool_calls_and_usage_are_passed_on() -> None:
    call = llm.FunctionToolCall(name="end_call", arguments="{}", call_id="1")
    delta = llm.ChoiceDelta(role="assistant", content="<think>x</think>Bye.", tool_calls=[call])
    chunks = [
        llm.ChatChunk(id="1", delta=delta),
        llm.ChatChunk(
            id="1", usage=llm.CompletionUsage(completion_tokens=1, prompt_tokens=1, total_tokens=2)
        ),
    ]

    async def answer() -> AsyncIterator[llm.ChatChunk]:
        for chunk in chunks:
            yield chunk

    found = [chunk async for chunk in Reasoning().without(answer())]
    assert found[:2] == chunks
    assert delta.content == "Bye."
    assert delta.tool_calls == [call]


@given(
    parts=st.lists(
        st.sampled_from(
            ["<", ">", "/", "think", "tool_call", "</think>", "<think>", "a ", "|", "="]
        )
    )
)
def test_whatever_comes_nothing_is_added(parts: list[str]) -> None:
    whole = "".join(parts)
    left = asyncio.run(said(Reasoning(), *parts))
    rest = iter(whole)
    assert all(letter in rest for letter in left)
    assert left == whole or "<" in whole


async def _pieces(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece
