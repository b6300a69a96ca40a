"""Whatever a chunk is, reading it raises nothing, and what is shown is what OpenAI sends."""

import json
from typing import Any

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


@given(st.text())
def test_what_is_no_json(data: str) -> None:
    ChatStream().read(data)
