"""Whatever a chunk is, reading it raises nothing, and what is shown is what OpenAI sends."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from agent.call.models.chat_stream import ChatStream

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=8)
NAMES = """
    id choices delta content tool_calls function name arguments index finish_reason usage error
    prompt_tokens prompt_tokens_details cached_tokens refusal role type text
"""
names = st.sampled_from(NAMES.split())
anything = st.recursive(
    scalars,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=4),
    max_leaves=12,
)
chunks = st.fixed_dictionaries(
    {"choices": st.lists(st.dictionaries(names, anything, max_size=4), max_size=2) | anything},
    optional={"id": anything, "usage": anything, "error": st.none() | anything},
)


@given(st.lists(chunks | anything, max_size=6))
def test_odd_chunks(told: list[Any]) -> None:
    reader = ChatStream()
    for each in told:
        shown, has_content = reader.read(json.dumps(each))
        if shown is None:
            assert not has_content
            continue
        for choice in shown["choices"]:
            choice["delta"].pop("audio", None)
        read = ChatCompletionChunk.model_construct(**shown)
        assert isinstance(read.id, str)
        assert isinstance(read.choices, list)
    reader.end()
    assert reader.fault or reader.has_finished


def piece(name: str | None, arguments: str, **others: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **others}


ONE = [("a", "one", '{"x": 1}')]
TWO = [("a", "one", "{}"), ("b", "two", "{}")]
PIECES = {
    "OpenAI": (ONE, [piece("one", "", index=0, id="a"), piece(None, '{"x": 1}', index=0)]),
    "the name and the id each time": (
        ONE, [piece("one", '{"x"', index=0, id="a"), piece("one", ": 1}", index=0, id="a")],
    ),
    "the name each time": (
        ONE, [piece("one", "", index=0, id="a"), piece("one", '{"x": 1}', index=0)],
    ),
    "the same index": (
        TWO, [piece("one", "{}", index=0, id="a"), piece("two", "{}", index=0, id="b")],
    ),
    "no index": (TWO, [piece("one", "{}", id="a"), piece("two", "{}", id="b")]),
    "no id": (TWO, [piece("one", "{}", index=0, id=None), piece("two", "{}", index=0, id="")]),
}  # fmt: skip


@pytest.mark.parametrize(("calls", "pieces"), PIECES.values(), ids=PIECES)
def test_calls_are_told_apart_however_a_server_numbers_and_names_them(
    calls: list[tuple[str, str, str]], pieces: list[dict[str, Any]]
) -> None:
    reader = ChatStream(new_id=iter("ab").__next__)
    told: dict[int, list[str]] = {}
    for each in pieces:
        shown, _ = reader.read(json.dumps({"choices": [{"delta": {"tool_calls": [each]}}]}))
        assert shown is not None
        (call,) = shown["choices"][0]["delta"]["tool_calls"]
        function = call["function"]
        begun = told.setdefault(call["index"], [call.get("id"), function.get("name"), ""])
        begun[2] += function["arguments"]
    assert [tuple(each) for each in told.values()] == calls


@given(st.text())
def test_what_is_no_json(data: str) -> None:
    ChatStream().read(data)
