"""What a session does, and what is recorded of it: a typed conversation, and single events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import (
    Agent,
    AgentHandoff,
    AgentSession,
    AgentStateChangedEvent,
    ChatMessage,
    ConversationItemAddedEvent,
    LanguageCode,
    StopResponse,
    stt,
)
from livekit.agents.llm import FunctionCall
from livekit.agents.voice import (
    ToolCallEnded,
    ToolCallStarted,
    ToolExecutionUpdatedEvent,
    ToolReplyUpdated,
)

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.history.marked import Mark, extra_of
from agent.call.session_events import subscribe
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.who_spoke import Line as Words
from agent.call.voices.who_spoke import set_lines
from agent.records.schema import (
    AgentChanged,
    Attempt,
    Cost,
    End,
    Formatted,
    HandedOver,
    Line,
    Overlap,
    PresetChanged,
    ProviderFailed,
    Said,
    SettingsRefused,
    Turn,
)
from agent.testing import ScriptedLLM
from stt_assemblyai.errors import NetworkError
from stt_assemblyai.events import Interrupted
from stt_assemblyai.stt import STT
from workbench.local.sample_settings import sample_settings


def message(role: Any, text: str, mark: str = "") -> ChatMessage:
    return ChatMessage(role=role, content=[text], extra=extra_of(mark))


def said_together() -> ChatMessage:
    both = message("user", "Ann: At seven. Bob: For two.")
    set_lines(both, [Words("a", "Ann", "At seven."), Words("b", "Bob", "For two.")])
    return both


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (message("user", "At seven."), [Said(role="user", text="At seven.")]),
        (message("assistant", "Yes."), [Said(role="assistant", text="Yes.")]),
        (
            message("user", "One moment.", Mark.HOLD.value),
            [Said(role="user", text="One moment.", mark="hold")],
        ),
        (
            said_together(),
            [
                Said(role="user", text="At seven.", speaker="a", name="Ann"),
                Said(role="user", text="For two.", speaker="b", name="Bob"),
            ],
        ),
        (message("system", "Be kind."), []),
        (AgentHandoff(new_agent_id="another"), []),
    ],
)
async def test_what_was_said_is_recorded_with_who_said_it_and_its_mark(
    item: Any, lines: list[Said]
) -> None:
    told: list[Line] = []
    CallRecorder([told.append]).on_item_added(ConversationItemAddedEvent(item=item))
    assert [each.model_copy(update={"at": 0.0}) for each in told] == lines
    assert all(each.at > 1e9 for each in told if isinstance(each, Said))


async def test_another_agent_is_told_and_the_first_one_is_not() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    for old in (None, "assistant"):
        item = AgentHandoff(old_agent_id=old, new_agent_id="order_taker")
        recorder.on_item_added(ConversationItemAddedEvent(item=item))
    (line,) = told
    assert isinstance(line, AgentChanged)
    assert line.agent == "order_taker"


class Talk:
    """A typed conversation, and its record."""

    def __init__(self, *answers: Any) -> None:
        self.told: list[Line] = []
        self.recorder = CallRecorder([self.told.append])
        self.session: AgentSession[Any] = AgentSession(
            llm=ScriptedLLM(*answers), turn_handling={"turn_detection": "manual"}
        )
        taking = TurnTaking(sample_settings(), STT(api_key="none"), self.session)
        self.agents = CallAgents(
            self.session, taking, CallTools(self.session), "Hello.", recorder=self.recorder
        )
        subscribe(self.session, None, self.recorder, taking, self.agents)

    async def ask(self, text: str) -> None:
        self.recorder.typed()
        await self.session.run(user_input=text)

    @property
    def turns(self) -> list[Turn]:
        return [each for each in self.told if isinstance(each, Turn)]


@asynccontextmanager
async def talk(*answers: Any, agent: Agent | None = None) -> AsyncIterator[Talk]:
    call = Talk(*answers)
    call.recorder.begin()
    await call.session.start(agent or Agent(instructions="Be kind."), record=False)
    try:
        await call.session.wait_for_idle()
        yield call
    finally:
        await call.session.aclose()


async def test_a_typed_conversation_is_recorded_turn_by_turn() -> None:
    async with talk("At seven.", "You are welcome.") as call:
        await call.ask("When?")
        await call.ask("Thank you.")
        call.recorder.end("caller_left")
    assert [each.origin for each in call.turns] == ["greeting", "caller", "caller"]
    _, first, second = call.turns
    assert (first.index, second.index) == (2, 3)
    assert first.reply
    asked, token = first.reply.asked_ms, first.reply.first_token_ms
    assert first.caller_part.committed_ms is not None
    assert asked is not None
    assert token is not None
    assert first.caller_part.committed_ms <= asked <= token
    said = [(each.role, each.text, each.turn) for each in call.told if isinstance(each, Said)]
    assert said == [
        ("assistant", "Hello.", 1),
        ("user", "When?", 2),
        ("assistant", "At seven.", 2),
        ("user", "Thank you.", 3),
        ("assistant", "You are welcome.", 3),
    ]
    assert isinstance(call.told[-1], End)


async def test_what_gets_no_answer_is_no_turn() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.hear(stt.SpeechEvent(stt.SpeechEventType.START_OF_SPEECH))
    item = message("user", "Stop.", Mark.UNANSWERED.value)
    recorder.on_item_added(ConversationItemAddedEvent(item=item))
    recorder.formatted("stop", "Stop.")
    recorder.end(None)
    assert [type(each) for each in told] == [Said, Formatted]


async def test_an_agent_that_keeps_silent_leaves_a_turn_without_a_reply() -> None:
    class Mute(Agent):
        async def on_user_turn_completed(self, turn_ctx: Any, new_message: Any) -> None:
            raise StopResponse

    async with talk(agent=Mute(instructions="Be silent.")) as call:
        agent = call.session.current_agent
        with pytest.raises(StopResponse):
            await agent.on_user_turn_completed(agent.chat_ctx.copy(), message("user", "Hello?"))
        assert [each.reply for each in call.turns[1:]] == [None]


async def test_a_reply_is_heard_from_its_first_sound_to_its_last() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    for old, new in (("listening", "thinking"), ("thinking", "speaking"), ("speaking", "idle")):
        event = SimpleNamespace(old_state=old, new_state=new)
        recorder.on_agent_state_changed(cast("AgentStateChangedEvent", event))
    recorder.first_audio()
    recorder.end(None)
    assert told == []  # outside of a speech nothing is known of it


def call_of(name: str, call: str) -> ToolExecutionUpdatedEvent:
    function = FunctionCall(call_id=call, name=name, arguments="{}")
    return ToolExecutionUpdatedEvent(update=ToolCallStarted(function_call=function))


def end_of(call: str, status: Any) -> ToolExecutionUpdatedEvent:
    return ToolExecutionUpdatedEvent(update=ToolCallEnded(id=call, call_id=call, status=status))


async def test_tools_that_fail_have_the_class_of_their_error() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.typed()
    for name, call in (("order", "c1"), ("search", "c2"), ("cancel", "c3")):
        recorder.on_tool_updated(call_of(name, call))
    recorder.tool_failed("search", "timeout", "TimeoutError")
    for call, status in (("c1", "done"), ("c2", "error"), ("c3", "cancelled"), ("c4", "done")):
        recorder.on_tool_updated(end_of(call, status))
    update = ToolReplyUpdated(update_ids=[], status="scheduled", speech_id="s")
    recorder.on_tool_updated(ToolExecutionUpdatedEvent(update=update))
    recorder.end(None)
    (turn,) = [each for each in told if isinstance(each, Turn)]
    assert [(each.tool, each.outcome, each.error) for each in turn.tools] == [
        ("order", "ok", None),
        ("search", "timeout", "TimeoutError"),
        ("cancel", "cancelled", None),
    ]
    assert all(each.ended_ms is not None for each in turn.tools)


async def test_what_providers_and_the_floor_do_is_told_at_once() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.preset("balanced", False)
    recorder.overlapped("backchannel", True)
    recorder.model_attempted(Attempt(provider="a/b", took_for_ms=1, error="timeout"))
    recorder.voice_attempted(Attempt(provider="a/b", took_for_ms=1, error="empty"))
    recorder.on_recogniser_interrupted(Interrupted(NetworkError("gone"), 1.5, 0))
    recorder.settings_refused([])
    recorder.settings_refused(["AGENT_HEARS is wrong"])
    recorder.handed_over()
    assert [type(each) for each in told] == [
        PresetChanged,
        Overlap,
        ProviderFailed,
        ProviderFailed,
        ProviderFailed,
        SettingsRefused,
        HandedOver,
    ]
    stt = told[4]
    assert isinstance(stt, ProviderFailed)
    assert (stt.provider, stt.error, stt.wait_for_ms) == ("stt", "NetworkError", 1500)


async def test_the_agents_voice_and_fillers_are_part_of_the_turn() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.typed()
    recorder.filler()
    recorder.turns.speech_created("s", answers=True)
    recorder.turns.reached("s", "first_sound_ms", 0)
    recorder.first_clause()  # of another task
    recorder.fell_silent()
    recorder.went_on()
    recorder.fell_silent()
    recorder.floor_taken("stop it")
    recorder.turns.speech_done("s", 100, is_interrupted=True)
    recorder.asked_to_end()
    recorder.end(None)
    (turn,) = [each for each in told if isinstance(each, Turn)]
    assert turn.reply
    false, true = turn.reply.interruptions
    assert (false.outcome, true.outcome) == ("false", "true")
    assert [each.text for each in true.words] == ["stop", "it"]
    assert len(turn.fillers) == 1


async def test_the_end_has_what_the_call_cost() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append], price=lambda usage: Cost(stt=usage.stt_billed_seconds))
    recorder.turns.billed(1.5)
    recorder.end("caller_left")
    end = told[-1]
    assert isinstance(end, End)
    assert end.cost == Cost(stt=1.5)


async def test_a_caller_who_hangs_up_in_mid_sentence_is_recorded_to_the_last_word() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    words = stt.SpeechData(LanguageCode("en"), "I would like to")
    for kind in (stt.SpeechEventType.START_OF_SPEECH, stt.SpeechEventType.INTERIM_TRANSCRIPT):
        recorder.hear(stt.SpeechEvent(kind, alternatives=[words]))
    recorder.end("caller_left")
    said = [each for each in told if isinstance(each, Said)]
    assert [(each.role, each.text, each.mark) for each in said] == [
        ("user", "I would like to", "unfinished")
    ]


async def test_a_turn_of_several_people_is_that_of_the_last_speaker() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.committed()
    recorder.on_item_added(ConversationItemAddedEvent(item=said_together()))
    recorder.end(None)
    (turn,) = [each for each in told if isinstance(each, Turn)]
    assert turn.speaker == "b"


async def test_a_turn_that_the_session_takes_up_when_it_closes_was_cut_off() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.on_item_added(ConversationItemAddedEvent(item=message("user", "Hello.")))
    recorder.closes()
    recorder.on_item_added(ConversationItemAddedEvent(item=message("assistant", "At your")))
    recorder.on_item_added(ConversationItemAddedEvent(item=message("user", "My number is")))
    recorder.end("caller_left")
    said = [(each.text, each.mark) for each in told if isinstance(each, Said)]
    assert said == [("Hello.", ""), ("At your", ""), ("My number is", "unfinished")]
