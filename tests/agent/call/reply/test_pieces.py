"""What an agent's nodes make, in each of the forms that LiveKit allows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import llm

from agent.call.reply.pieces import each_of, has_begun


class Source:
    """Pieces, and whether somebody has closed them."""

    def __init__(self) -> None:
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[str]:
        yield "a"
        yield "b"

    async def aclose(self) -> None:
        self.is_closed = True


async def later(made: Any) -> Any:
    return made


async def test_pieces_come_one_by_one_and_their_source_is_closed() -> None:
    source = Source()
    assert [each async for each in each_of(source)] == ["a", "b"]
    assert source.is_closed


@pytest.mark.parametrize(("made", "pieces"), [("whole", ["whole"]), (None, [])])
async def test_a_node_may_make_one_text_or_nothing(made: Any, pieces: list[str]) -> None:
    assert [each async for each in each_of(made)] == pieces
    assert [each async for each in each_of(later(made))] == pieces


@pytest.mark.parametrize(
    ("delta", "begun"),
    [
        (None, False),
        (llm.ChoiceDelta(role="assistant"), False),
        (llm.ChoiceDelta(role="assistant", content="Yes"), True),
        (
            llm.ChoiceDelta(
                tool_calls=[llm.FunctionToolCall(name="look", arguments="{}", call_id="1")]
            ),
            True,
        ),
    ],
)
def test_an_answer_has_begun_with_its_first_word_or_tool(
    delta: llm.ChoiceDelta | None, begun: bool
) -> None:
    assert has_begun(llm.ChatChunk(id="1", delta=delta)) is begun


def test_a_plain_text_has_begun_unless_it_is_empty() -> None:
    assert (has_begun("Yes"), has_begun("")) == (True, False)
