"""What a model refuses to answer is not sent to it again."""

from livekit.agents import ChatContext

from agent.call.history.marked import extra_of
from agent.call.reply.refusals import NothingSpokenError, Withheld


def history(*turns: str) -> ChatContext:
    """The instructions, and turns: `> ` begins the caller's."""
    context = ChatContext.empty()
    context.add_message(role="system", content="Be kind.")
    for turn in turns:
        role = "user" if turn.startswith("> ") else "assistant"
        context.add_message(role=role, content=turn)
    return context


def texts(context: ChatContext) -> list[str]:
    return [each.text_content or "" for each in context.messages()]


def test_what_the_caller_said_last_is_withheld() -> None:
    context, withheld = history("Hi.", "> Who are you?", "Alex.", "> Something bad."), Withheld()
    assert texts(withheld.sendable(context)) == texts(context)
    withheld.refused(context)
    assert texts(withheld.sendable(context)) == ["Be kind.", "Hi.", "> Who are you?", "Alex."]


def test_at_the_second_refusal_in_a_row_all_that_was_said_is_withheld() -> None:
    context, withheld = history("Hi.", "> Something bad.", "Well.", "> And?"), Withheld()
    withheld.refused(context)
    withheld.refused(withheld.sendable(context))
    assert texts(withheld.sendable(context)) == ["Be kind."]


def test_an_answer_between_two_refusals_makes_each_the_first() -> None:
    context, withheld = history("Hi.", "> Something bad."), Withheld()
    withheld.refused(context)
    withheld.answered()
    context.add_message(role="user", content="> And?")
    withheld.refused(context)
    assert texts(withheld.sendable(context)) == ["Be kind.", "Hi."]


def test_where_the_caller_said_nothing_all_is_withheld() -> None:
    context, withheld = history("Hi."), Withheld()
    withheld.refused(context)
    assert texts(withheld.sendable(context)) == ["Be kind."]


def test_what_the_agent_was_not_asked_is_no_question() -> None:
    context = history("Hi.", "> Something bad.", "Well.")
    context.add_message(role="user", content="> uh-huh", extra=extra_of("backchannel"))
    withheld = Withheld()
    withheld.refused(context)
    assert texts(withheld.sendable(context)) == ["Be kind.", "Hi."]


def test_a_speech_without_sound_is_not_tried_again() -> None:
    error = NothingSpokenError()
    assert not error.retryable
    assert error.message == "Nothing of a speech could be spoken."
