"""A formatted text that comes late is seen, remembered and recorded, and never said again."""

from typing import Any

import pytest
from livekit.agents import (
    AgentSession,
    ChatMessage,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
)

from agent.call.history.late_formatting import LateFormatting, put_formatted
from agent.call.session_events import subscribe
from agent.call.voices.who_spoke import Person, lines_of, set_lines
from stt_assemblyai.events import LateFormat
from stt_assemblyai.transcript import Transcript

PLAIN, FORMATTED = "twenty five dollars", "$25."


def late(plain: str = PLAIN, formatted: str = FORMATTED) -> LateFormat:
    return LateFormat(Transcript("session", 0, formatted, (), formatted=True), plain)


def message(text: str, role: Any = "user") -> ChatMessage:
    return ChatMessage(role=role, content=[text])


class Talk:
    """A session in which the caller is heard, and what is made of it."""

    def __init__(self) -> None:
        self.session: AgentSession[None] = AgentSession()
        self.told: list[tuple[str, str]] = []
        """What was replaced in the history, and by what."""
        self.late_formatting = LateFormatting(self.session, lambda *both: self.told.append(both))
        subscribe(self.session, None, self.late_formatting)
        self.seen: list[str] = []
        self.session.on("user_input_transcribed", lambda event: self.seen.append(event.transcript))

    def hear(self, text: str) -> None:
        event = UserInputTranscribedEvent(transcript=text, is_final=True)
        self.session.emit("user_input_transcribed", event)

    def remember(self, text: str, role: Any = "user") -> None:
        item = message(text, role)
        self.session.history.insert(item)
        self.session.emit("conversation_item_added", ConversationItemAddedEvent(item=item))

    @property
    def history(self) -> list[str | None]:
        return [item.text_content for item in self.session.history.items if item.type == "message"]


@pytest.fixture
async def talk() -> Talk:
    return Talk()


async def test_a_text_that_comes_with_the_plain_one_takes_its_place_from_the_start(
    talk: Talk,
) -> None:
    talk.late_formatting.on_late_format(late())
    talk.hear(PLAIN)
    talk.remember(PLAIN)
    assert talk.seen == talk.history == [FORMATTED]


async def test_a_text_that_comes_after_the_turn_mends_history_and_record(talk: Talk) -> None:
    talk.hear(PLAIN)
    talk.remember(PLAIN)
    talk.remember("Certainly.", "assistant")
    talk.late_formatting.on_late_format(late())
    assert talk.history == [FORMATTED, "Certainly."]
    assert talk.told == [(PLAIN, FORMATTED)]


async def test_a_text_for_one_turn_leaves_the_others_alone(talk: Talk) -> None:
    talk.hear("yes")
    talk.remember("yes")
    talk.late_formatting.on_late_format(late("no", "No."))
    assert talk.history == ["yes"]
    talk.hear("no")
    talk.remember("no")
    assert talk.seen == ["yes", "No."]
    assert talk.history == ["yes", "No."]


async def test_what_is_still_open_is_not_mended(talk: Talk) -> None:
    talk.late_formatting.on_late_format(late())
    event = UserInputTranscribedEvent(transcript=PLAIN, is_final=False)
    talk.session.emit("user_input_transcribed", event)
    assert talk.seen == [PLAIN]


def test_the_last_of_several_turns_that_became_one_is_mended() -> None:
    said = message(f"That is all. {PLAIN}")
    assert put_formatted(said, late())
    assert said.text_content == "That is all. $25."


def test_of_several_speakers_the_one_who_said_it_last_is_mended() -> None:
    ann, bob = Person("ann-1", "Ann"), Person("bob-1", "Bob")
    said = message("")
    set_lines(said, [bob.line(PLAIN), ann.line(f"No, {PLAIN}"), bob.line("All right.")])
    assert put_formatted(said, late())
    assert said.text_content == f"Bob: {PLAIN} Ann: No, $25. Bob: All right."
    assert lines_of(said)[1] == ann.line("No, $25.")
    assert not put_formatted(said, late("nothing of it"))


@pytest.mark.parametrize("text", ["", "dollars", f"{PLAIN} please", f"the{PLAIN}"])
def test_a_text_that_stands_elsewhere_is_not_replaced(text: str) -> None:
    said = message(text)
    assert not put_formatted(said, late())
    assert said.text_content == text
