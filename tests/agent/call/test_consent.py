"""Whether the caller lets the call be recorded. Time is virtual."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from livekit.agents import AgentSession, ChatMessage, ConversationItemAddedEvent

from agent.call.consent import ANSWER_SECONDS, Answer, Consent, answer_in
from agent.call.history.marked import Mark, extra_of
from config.phrases import read_phrasebook
from config.values import ROOT

pytestmark = pytest.mark.looptime

PHRASES = read_phrasebook(ROOT / "agent/call/phrases")
QUESTION = "This call is recorded. Is that all right?"


@pytest.mark.parametrize(
    ("language", "said", "answer"),
    [
        ("en", "Yes.", "yes"),
        ("en", "Sure, go ahead.", "yes"),
        ("en", "No problem.", "yes"),
        ("en", "I don't mind.", "yes"),
        ("en", "No.", "no"),
        ("en", "No, I'd rather not.", "no"),
        ("en", "Okay, but I do not want that.", "no"),
        ("en", "I'd prefer it if you didn't.", "no"),
        ("en", "I disagree.", "no"),
        ("en", "I want to order a pizza.", "none"),
        ("en", "", "none"),
        ("de", "Ja, gerne.", "yes"),
        ("de", "Kein Problem.", "yes"),
        ("de", "Lieber nicht.", "no"),
        ("es", "Sí, claro.", "yes"),
        ("es", "No hay problema.", "yes"),
        ("es", "No, gracias.", "no"),
        ("fr", "Pas de problème.", "yes"),
        ("fr", "Non.", "no"),
        ("it", "Va bene.", "yes"),
        ("it", "Preferisco di no.", "no"),
        ("fi", "Ei haittaa.", "yes"),
        ("ja", "はい、大丈夫です。", "yes"),
        ("zh", "没问题", "yes"),
        ("zh", "不行", "no"),
    ],
)
def test_what_a_caller_answers(language: str, said: str, answer: Answer) -> None:
    assert answer_in(said, PHRASES.of(language)) == answer


@pytest.mark.parametrize(
    ("language", "said", "answer"),
    [
        ("en", "Nein.", "no"),
        ("en", "Okay, nein danke.", "no"),
        ("en", "Non, merci.", "no"),
        ("en", "いいえ、結構です。", "no"),
        ("en", "不要", "no"),
        ("de", "No, thank you.", "no"),
        ("pt", "No.", "no"),
        ("en", "Ja, gerne.", "none"),
        ("en", "Kein Problem.", "none"),
        ("es", "Sí, pero en español.", "yes"),
        ("pt", "Claro, pode ficar no sistema.", "yes"),
        ("ja", "別に構いません。", "yes"),
        ("en", "I'd like a mai tai.", "none"),
        ("en", "", "none"),
    ],
)
def test_a_clear_refusal_counts_in_every_language_and_agreement_in_the_calls(
    language: str, said: str, answer: Answer
) -> None:
    assert answer_in(said, PHRASES.of(language), PHRASES.each()) == answer


def test_no_phrase_that_agrees_refuses_in_another_language() -> None:
    for phrases in PHRASES.each():
        for agreed in phrases.agrees:
            assert answer_in(" ".join(agreed), phrases, PHRASES.each()) == "yes", agreed


def test_every_language_has_both_answers() -> None:
    names = [path.stem for path in (ROOT / "agent/call/phrases").glob("*.toml")]
    for name in names:
        phrases = PHRASES.of(name)
        assert phrases.agrees, name
        assert phrases.refuses, name
        assert not phrases.agrees & phrases.refuses, name


class Speech:
    def __init__(self, heard: float) -> None:
        self._heard = heard

    def add_done_callback(self, then: Callable[[Any], None]) -> None:
        asyncio.get_running_loop().call_later(self._heard, then, self)


class Session:
    """What LiveKit's session says, in two seconds a sentence, and what it hears."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.user_state = "listening"

    def say(self, text: str) -> Speech:
        self.said.append(text)
        return Speech(2)


class Call:
    def __init__(self) -> None:
        self.session = Session()
        self.answers: list[Answer] = []
        session = cast("AgentSession[Any]", cast("Any", self.session))
        phrases = PHRASES.of("en")
        self.consent = Consent(
            session, QUESTION, lambda text: answer_in(text, phrases), self.answers.append
        )

    def ask(self) -> None:
        self.consent.ask(lambda: self.session.said.append("Hello."))

    def add(self, text: str, mark: Mark | None, role: Any = "user") -> None:
        extra = extra_of(mark.value) if mark else {}
        item = ChatMessage(role=role, content=[text], extra=extra)
        self.consent.on_item_added(ConversationItemAddedEvent(item=item))


async def test_an_answer_is_followed_by_the_greeting_and_nothing_else() -> None:
    for said, answer in (("Yes, sure.", "yes"), ("No.", "no")):
        call = Call()
        call.ask()
        assert call.consent.take(said)
        await asyncio.sleep(60)
        assert call.session.said == [QUESTION, "Hello."]
        assert call.answers == [answer]
        assert not call.consent.take("No.")  # of another question


async def test_who_goes_on_at_once_is_answered_and_not_greeted() -> None:
    for said, answer in (
        ("Yes, and I would like to order a pizza please.", "yes"),
        ("I would like to order a pizza.", "none"),
    ):
        call = Call()
        call.ask()
        assert not call.consent.take(said)
        await asyncio.sleep(60)
        assert call.session.said == [QUESTION]
        assert call.answers == [answer]


async def test_who_says_nothing_has_not_answered_and_is_greeted() -> None:
    call = Call()
    call.ask()
    await asyncio.sleep(2 + ANSWER_SECONDS - 0.5)
    assert call.answers == []
    call.session.user_state = "speaking"
    await asyncio.sleep(5)
    assert call.answers == []  # they have begun to answer
    call.session.user_state = "listening"
    await asyncio.sleep(1)
    assert call.answers == ["none"]
    assert call.session.said == [QUESTION, "Hello."]


async def test_an_answer_before_the_question_is_over_counts() -> None:
    call = Call()
    call.ask()
    await asyncio.sleep(1)
    call.add("Hello?", Mark.BACKCHANNEL)
    call.add("Yes.", None, role="assistant")
    assert call.answers == []
    call.add("Okay.", Mark.BACKCHANNEL)
    assert call.answers == ["yes"]
    assert call.session.said == [QUESTION, "Hello."]
    await asyncio.sleep(60)
    assert call.answers == ["yes"]


async def test_what_is_typed_counts_and_has_its_own_answer() -> None:
    call = Call()
    call.ask()
    call.add("no", None)
    assert call.answers == ["no"]
    assert call.session.said == [QUESTION]


async def test_nothing_counts_before_the_question() -> None:
    call = Call()
    assert not call.consent.take("no")
    call.add("no", Mark.BACKCHANNEL)
    assert call.answers == []


async def test_a_session_that_has_closed_meanwhile_greets_nobody() -> None:
    call = Call()

    def greet() -> None:
        raise RuntimeError

    call.consent.ask(greet)
    await asyncio.sleep(60)
    assert call.answers == ["none"]
