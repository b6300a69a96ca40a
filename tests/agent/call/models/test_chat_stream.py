"""Whatever a chunk is, reading it raises nothing, and what is shown is what OpenAI sends."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from agent.call.models.chat_stream import ChatStream, new_call_id
from agent.call.models.errors import CutError, EventError, RefusalError

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


def shown(chunk: Any) -> tuple[Any, bool]:
    return ChatStream(new_id=iter("ab").__next__).read(json.dumps(chunk))


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields}]}


@pytest.mark.parametrize("data", ["", "{", "[" * 100_000, "[]", '"words"', "null"])
def test_what_is_no_chunk_says_nothing(data: str) -> None:
    assert ChatStream().read(data) == (None, False)


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": None},
        {"choices": []},
        {"choices": ["words"]},
        delta(),
        delta(role="assistant"),
        delta(tool_calls="call"),
        delta(tool_calls=[{"function": "f"}]),
        delta(tool_calls=[piece(None, "{}")]),  # a piece of a call that has not begun
    ],
)
def test_a_chunk_without_content_is_not_passed_on(chunk: dict[str, Any]) -> None:
    assert shown(chunk) == (None, False)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hi", "Hi"),
        ([{"type": "text", "text": "H"}, {"text": "i"}, {"text": 1}, "x"], "Hi"),
        ("H\ud800i", "Hi"),
    ],
)
def test_words_are_one_text(content: Any, text: str) -> None:
    chunk, has_content = shown(delta(content=content))
    assert chunk["choices"][0]["delta"] == {"role": "assistant", "content": text}
    assert has_content


def test_a_blank_is_passed_on_but_is_no_content() -> None:
    chunk, has_content = shown(delta(content=" "))
    assert chunk["choices"][0]["delta"]["content"] == " "
    assert not has_content


def test_an_id_is_a_text_and_counts_are_numbers() -> None:
    given = {"prompt_tokens": 3, "total_tokens": "many", "prompt_tokens_details": {"cached": 1}}
    chunk, _ = shown({"id": 7, "usage": given, "choices": []})
    assert chunk["id"] == ""
    assert chunk["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 0,
        "total_tokens": 0,
        "prompt_tokens_details": {"cached": 1},
    }
    chunk, _ = shown({"id": "c1", **delta(content="Hi")})
    assert (chunk["id"], chunk["usage"]) == ("c1", None)


@pytest.mark.parametrize(
    "chunk", [{"error": {"message": "down"}}, {"type": "error"}, {"object": "error"}]
)
def test_an_error_among_the_chunks_is_the_fault(chunk: dict[str, Any]) -> None:
    reader = ChatStream()
    assert reader.read(json.dumps(chunk)) == (None, False)
    assert isinstance(reader.fault, EventError)
    reader.end()
    assert isinstance(reader.fault, EventError)


ENDS: list[tuple[str | None, str | None, type[Exception] | None]] = [
    ("stop", "stop", None),
    ("tool_calls", "tool_calls", None),
    ("eos", "stop", None),
    ("length", None, CutError),
    ("content_filter", None, RefusalError),
    ("null", None, CutError),
    (None, None, CutError),
]


@pytest.mark.parametrize(("reason", "told", "fault"), ENDS)
def test_an_answer_is_whole_only_if_a_chunk_says_so(
    reason: str | None, told: str | None, fault: type[Exception] | None
) -> None:
    reader = ChatStream()
    choice = {"delta": {"content": "Hi"}, "finish_reason": reason}
    chunk, _ = reader.read(json.dumps({"choices": [choice]}))
    assert chunk is not None
    assert chunk["choices"][0]["finish_reason"] == told
    reader.end()
    assert type(reader.fault) is (fault or type(None))


def test_a_refusal_is_a_fault_and_not_words() -> None:
    reader = ChatStream()
    reader.read(json.dumps(delta(refusal="I must not.")))
    assert isinstance(reader.fault, RefusalError)


def test_a_whole_answer_is_one_chunk_that_ends_it() -> None:
    reader = ChatStream()
    chunk, has_content = reader.read(
        json.dumps({"choices": [{"message": {"role": "assistant", "content": "Hi"}}]})
    )
    assert has_content
    assert chunk is not None
    assert chunk["choices"][0]["finish_reason"] == "stop"
    assert reader.has_finished


def test_arguments_that_are_no_text_become_json() -> None:
    chunk, _ = shown(delta(tool_calls=[piece("f", {"x": 1}, index=0)]))
    (call,) = chunk["choices"][0]["delta"]["tool_calls"]
    assert call == {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}}


def test_a_name_again_amid_the_arguments_begins_no_other_call() -> None:
    reader = ChatStream(new_id=iter("ab").__next__)
    for arguments, calls in (("{", 0), ("}", 0), ("{}", 1)):
        chunk, _ = reader.read(json.dumps(delta(tool_calls=[piece("f", arguments, index=0)])))
        assert chunk is not None
        assert chunk["choices"][0]["delta"]["tool_calls"][0]["index"] == calls


def test_every_call_without_an_id_gets_another() -> None:
    assert new_call_id().startswith("call_")
    assert new_call_id() != new_call_id()
