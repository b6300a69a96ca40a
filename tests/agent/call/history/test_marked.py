"""Utterances that get no answer of their own stay in the conversation."""

import pytest
from livekit.agents import AgentSession, ChatContext

from agent.call.history.marked import Mark, MarkedUtterance, extra_of, keep, mark_of, with_marked

BEGUN = 1_000.0


def history_with(*marks: Mark) -> ChatContext:
    session: AgentSession[None] = AgentSession()
    session.history.add_message(role="assistant", content="Shall I book it?", created_at=BEGUN - 1)
    for mark in marks:
        keep(session, MarkedUtterance("of course", mark, BEGUN, "en"))
    session.history.add_message(role="user", content="What time is it?", created_at=BEGUN + 1)
    return session.history


def texts(context: ChatContext) -> list[str]:
    return [each.text_content or "" for each in context.messages()]


async def test_it_stands_in_the_history_at_its_time_with_its_mark() -> None:
    history = history_with(Mark.BACKCHANNEL)
    assert texts(history) == ["Shall I book it?", "of course", "What time is it?"]
    assert [mark_of(each) for each in history.items] == [None, Mark.BACKCHANNEL, None]


async def test_the_model_reads_it_in_its_place_and_once() -> None:
    history = history_with(Mark.BACKCHANNEL)
    asked = ChatContext([each for each in history.items if not mark_of(each)])
    told = with_marked(asked, history)
    assert texts(told) == texts(history)
    assert texts(with_marked(told, history)) == texts(history)
    assert len(asked.items) == 2


async def test_the_instructions_of_an_agent_that_began_later_stay_first() -> None:
    asked = ChatContext.empty()
    asked.add_message(role="system", content="Be brief.", created_at=BEGUN + 2)
    asked.add_message(role="assistant", content="Hello", created_at=BEGUN + 3)
    told = with_marked(asked, history_with(Mark.BACKCHANNEL, Mark.BACKCHANNEL))
    assert texts(told) == ["Be brief.", "of course", "of course", "Hello"]


@pytest.mark.parametrize("mark", Mark)
async def test_the_model_is_told_what_may_be_its_own_voice(mark: Mark) -> None:
    told = with_marked(ChatContext.empty(), history_with(mark))
    assert ("your own voice" in texts(told)[0]) is (mark is Mark.ECHO)
    assert "of course" in texts(told)[0]


def test_what_is_no_message_has_no_mark() -> None:
    assert mark_of(None) is None


@pytest.mark.parametrize("mark", Mark)
async def test_what_was_marked_before_another_agent_died_is_still_marked(mark: Mark) -> None:
    taken_over = ChatContext.empty()
    message = taken_over.add_message(role="user", content="of course", extra=extra_of(mark.value))
    assert mark_of(message) is mark
    told = with_marked(taken_over, ChatContext.empty())
    assert ("your own voice" in texts(told)[0]) is (mark is Mark.ECHO)
    assert texts(taken_over) == ["of course"]


@pytest.mark.parametrize("mark", ["", "of a later version"])
def test_a_mark_that_nobody_knows_is_none(mark: str) -> None:
    assert extra_of(mark) == {}
