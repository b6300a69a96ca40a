"""Who hears a session's events, and in which order."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import pytest
from livekit.agents import (
    AgentSession,
    ChatMessage,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
)
from livekit.agents.voice.events import EventTypes

from agent.call.history.late_formatting import LateFormatting
from agent.call.log_context import TurnLog
from agent.call.reply.broken_answers import BrokenAnswers
from agent.call.session_events import MODEL, RECOGNISER, SESSION, Handler, subscribe
from agent.call.turn_record.recorder import CallRecorder
from agent.call.voices.group import Group
from agent.records.schema import Line, Said
from stt_assemblyai.events import LateFormat
from stt_assemblyai.stt import STT
from stt_assemblyai.transcript import Transcript

ROOT = Path(__file__).parents[3]
PLAIN, FORMATTED = "it is twenty five dollars", "It is $25."


def late() -> LateFormat:
    return LateFormat(Transcript("session", 0, FORMATTED, (), formatted=True), PLAIN)


def changed(event: EventTypes, handlers: Sequence[Handler]) -> dict[EventTypes, Sequence[Handler]]:
    return {**SESSION, event: handlers}


def written(order: Mapping[EventTypes, Sequence[Handler]]) -> list[str]:
    """The record of a turn whose formatted text came before the session had the plain one."""
    session: AgentSession[None] = AgentSession()
    lines: list[Line] = []
    service, recorder = STT(api_key="key"), CallRecorder([lines.append])
    late_formatting = LateFormatting(session, recorder.formatted)
    subscribe(session, service, late_formatting, recorder, order=order)
    service.emit("late_format", late())
    said = ChatMessage(role="user", content=[PLAIN])
    session.emit("conversation_item_added", ConversationItemAddedEvent(item=said))
    return [each.text for each in lines if isinstance(each, Said)]


async def test_the_record_has_the_formatted_text_in_this_order_and_lacks_it_in_another() -> None:
    assert written(SESSION) == [FORMATTED]
    items = list(SESSION["conversation_item_added"])
    first = items.index(LateFormatting.on_item_added)
    last = items.index(CallRecorder.on_item_added)
    items[first], items[last] = items[last], items[first]
    swapped = changed("conversation_item_added", items)
    assert written(swapped) == [PLAIN]


async def test_what_subscribes_later_sees_the_formatted_text_as_screens_do() -> None:
    session: AgentSession[None] = AgentSession()
    late_formatting, seen = LateFormatting(session, lambda *_: None), []
    subscribe(session, None, late_formatting)
    session.on("user_input_transcribed", lambda event: seen.append(event.transcript))
    late_formatting.on_late_format(late())
    words = UserInputTranscribedEvent(transcript=PLAIN, is_final=True)
    session.emit("user_input_transcribed", words)
    assert seen == [FORMATTED]


def test_those_who_change_a_message_come_before_those_who_write_it_down() -> None:
    items = list(SESSION["conversation_item_added"])
    change = [Group.on_item_added, LateFormatting.on_item_added, BrokenAnswers.on_item_added]
    write = [CallRecorder.on_item_added, TurnLog.on_item_added]
    assert items[:5] == [*change, *write]


async def test_a_listener_gets_each_event_of_its_own_once() -> None:
    session: AgentSession[None] = AgentSession()
    lines: list[Line] = []
    subscribe(session, None, None, CallRecorder([lines.append]))
    said = ChatMessage(role="assistant", content=["Hello."])
    session.emit("conversation_item_added", ConversationItemAddedEvent(item=said))
    assert [each.text for each in lines if isinstance(each, Said)] == ["Hello."]


async def test_a_listener_that_no_table_knows_is_a_fault() -> None:
    with pytest.raises(ValueError, match="in no table"):
        subscribe(AgentSession(), None, object())


def test_the_tables_name_methods_of_classes() -> None:
    for table in (SESSION, RECOGNISER, MODEL):
        for handlers in table.values():
            assert len(set(handlers)) == len(handlers)
            assert all(each.__qualname__.count(".") == 1 for each in handlers)


def subscriptions(path: Path) -> Iterator[tuple[str, str]]:
    """What a module calls `on` or `once` of, and for which event; "" for one that is computed."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=emitter, attr="on" | "once"), args=[event, *_]):
                name = event.value if isinstance(event, ast.Constant) else ""
                yield ast.unparse(emitter), str(name)


OTHERS = {
    ("agent/call/providers.py", "each", "error"): "a recogniser's, whose failure only costs a line",
    ("agent/call/voices/group.py", "self._room", ""): "the room's, while the group listens",
}
"""What is subscribed to by an event's name that a session has too, or by one that is computed."""


def test_nobody_else_subscribes_to_a_session() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), emitter, event)
        for path in (ROOT / "agent").rglob("*.py")
        for emitter, event in subscriptions(path)
        if "session" in emitter or event in (*get_args(EventTypes), "")
    }
    assert {each for each in found if each[0] != "agent/call/session_events.py"} == OTHERS.keys()
    assert ("agent/call/session_events.py", "emitter", "") in found
