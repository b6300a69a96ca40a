"""Any agent has what makes a call good: the first, one after a hand-off, and LiveKit's tasks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any

import pytest
from livekit.agents import (
    Agent,
    AgentSession,
    AgentTask,
    ChatContext,
    LanguageCode,
    function_tool,
    llm,
    stt,
)
from livekit.agents.beta.workflows import (
    GetAddressResult,
    GetAddressTask,
    GetDOBResult,
    GetDOBTask,
    GetEmailResult,
    GetEmailTask,
    GetNameResult,
    GetNameTask,
    GetPhoneNumberResult,
    GetPhoneNumberTask,
)
from livekit.agents.beta.workflows.credit_card import GetCardNumberResult, GetCardNumberTask

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.history.record import Said
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.session_events import subscribe
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from agent.testing import Part, ScriptedLLM, calls, conversation
from config.load import load_settings
from stt_assemblyai.stt import STT
from workbench.standins.scripted import Loudspeaker, ScriptedSTT, ScriptedTTS, ScriptedVAD
from workbench.standins.silent_input import SilentInput

pytestmark = pytest.mark.looptime

GREETING = "How can I help you?"
HOURS = "Our opening hours are nine to five from Monday to Friday, and ten to two on Saturday."
Type = stt.SpeechEventType


class Desk(Agent):
    """Hands every caller to a plain agent, or asks for something with a task of LiveKit."""

    def __init__(self, second: Agent, task: Callable[..., AgentTask[Any]] = GetEmailTask) -> None:
        super().__init__(instructions="the desk")
        self.second = second
        self.task = task
        self.found: Any = None

    @function_tool
    async def hand_over(self) -> Agent:
        """To the second agent."""
        return self.second

    @function_tool
    async def ask(self) -> str:
        """With LiveKit's own task."""
        self.found = await self.task(chat_ctx=self.chat_ctx)
        return "done"


class Call:
    """A caller who speaks to a desk."""

    def __init__(
        self,
        *answers: Part | list[Part],
        said_before: Sequence[Said] = (),
        task: Callable[..., AgentTask[Any]] = GetEmailTask,
        language: str = "en",
    ) -> None:
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        given = {"livekit": livekit, "assemblyai": key, "openai": key}
        settings = load_settings(None, given=given | {"agent": {"language": language}})
        self.language = language
        self.stt, self.detector, self.loudspeaker = ScriptedSTT(), ScriptedVAD(), Loudspeaker()
        self.llm, self.tts = ScriptedLLM(*answers), ScriptedTTS()
        self.session: AgentSession[None] = AgentSession(
            stt=self.stt,
            vad=TappedVAD(self.detector),
            llm=self.llm,
            tts=self.tts,
            turn_handling=turn_handling(settings),
            aec_warmup_duration=None,
        )
        self.service = STT(api_key="key", options=settings.session_options)
        turn_taking = TurnTaking(settings, self.service, self.session)
        self.has_ended = False
        tools = CallTools(
            self.session, change_patience_tool(turn_taking), end_call_tool("Bye.", self._end)
        )
        agents = CallAgents(self.session, turn_taking, tools, GREETING, said_before=said_before)
        subscribe(self.session, self.service, turn_taking, agents, tools.limits)
        self.desk = Desk(Agent(instructions="the second"), task)

    def _end(self) -> None:
        self.has_ended = True

    async def say(self, text: str, *, seconds: float = 6) -> None:
        """Speak 300 ms; the words come soon after, and then the end of the turn."""
        self.detector.voice = True
        await asyncio.sleep(0.3)
        self.detector.voice = False
        self._hear(Type.START_OF_SPEECH)
        self._hear(Type.INTERIM_TRANSCRIPT, text)
        await asyncio.sleep(0.3)
        self._hear(Type.FINAL_TRANSCRIPT, text)
        self._hear(Type.END_OF_SPEECH)
        await asyncio.sleep(seconds)

    def _hear(self, kind: stt.SpeechEventType, text: str = "") -> None:
        words = [stt.SpeechData(language=LanguageCode(self.language), text=text)] if text else []
        self.stt.events.put_nowait(stt.SpeechEvent(type=kind, alternatives=words))

    @property
    def patience(self) -> tuple[int | None, float]:
        """AssemblyAI's shortest silence in milliseconds, LiveKit's in seconds."""
        delay = self.session.options.endpointing["min_delay"]
        return self.service.options.min_turn_silence, delay

    @property
    def agent(self) -> Agent:
        return self.session.current_agent


@asynccontextmanager
async def call(
    *answers: Part | list[Part],
    said_before: Sequence[Said] = (),
    task: Callable[..., AgentTask[Any]] = GetEmailTask,
    language: str = "en",
) -> AsyncIterator[Call]:
    """A call whose greeting has been heard."""
    running = Call(*answers, said_before=said_before, task=task, language=language)
    running.session.input.audio = SilentInput()
    running.session.output.audio = running.loudspeaker
    await running.session.start(running.desk, record=False)
    await asyncio.sleep(5)
    try:
        yield running
    finally:
        await running.session.aclose()


HAND_OVER = ["One moment.", calls("hand_over")]


async def test_an_acknowledgement_does_not_interrupt_an_agent_after_a_hand_off() -> None:
    async with call(HAND_OVER, HOURS) as line:
        await line.say("connect me")
        assert line.agent is line.desk.second
        await line.say("when do you open", seconds=2)
        assert line.loudspeaker.playing
        await line.say("mhm", seconds=1)
        assert line.loudspeaker.playing
        assert len(line.llm.asked) == 2


async def test_words_interrupt_an_agent_after_a_hand_off() -> None:
    async with call(HAND_OVER, HOURS, "Yes.") as line:
        await line.say("connect me")
        await line.say("when do you open", seconds=2)
        assert line.loudspeaker.playing
        await line.say("and on Sunday what about that", seconds=2)
        assert not line.loudspeaker.playing
        assert len(line.llm.asked) == 3


async def test_an_agent_after_a_hand_off_waits_for_what_is_dictated() -> None:
    async with call(HAND_OVER, "What is your phone number?", "Thank you.") as line:
        usual = line.patience
        await line.say("connect me")
        assert line.patience == usual
        await line.say("call me back")
        assert line.patience == (1600, 1.6)
        await line.say("one two three four five six")
        assert line.patience == usual


async def test_an_agent_after_a_hand_off_waits_when_it_is_asked_to() -> None:
    async with call(HAND_OVER) as line:
        await line.say("connect me")
        await line.say("one moment")
        assert line.agent is line.desk.second
        assert len(line.llm.asked) == 1


async def test_an_agent_after_a_hand_off_can_end_the_call() -> None:
    async with call(HAND_OVER, ["Goodbye then.", calls("end_call")]) as line:
        await line.say("connect me")
        assert not line.has_ended
        await line.say("that was all thanks and goodbye")
        assert line.has_ended


async def test_reasoning_is_not_heard_after_a_hand_off() -> None:
    async with call(HAND_OVER, "<think>Is it open?</think>It is open.") as line:
        await line.say("connect me")
        await line.say("when do you open")
        assert line.tts.texts[-1] == "It is open."


@pytest.mark.parametrize(
    ("task", "question", "update", "confirm", "found"),
    [
        (
            GetEmailTask,
            "What is your email address?",
            calls("update_email_address", email="ann@example.com"),
            calls("confirm_email_address"),
            GetEmailResult("ann@example.com"),
        ),
        (
            GetPhoneNumberTask,
            "What is your phone number?",
            calls("update_phone_number", phone_number="+14155550100"),
            calls("confirm_phone_number"),
            GetPhoneNumberResult("+14155550100"),
        ),
        (
            GetDOBTask,
            "What is your date of birth?",
            calls("update_dob", year=1990, month=5, day=17),
            calls("confirm_dob"),
            GetDOBResult(date(1990, 5, 17)),
        ),
        (
            GetAddressTask,
            "What is your address?",
            calls(
                "update_address",
                street_address="1 High Street",
                unit_number="",
                locality="Bath",
                country="UK",
            ),
            calls("confirm_address"),
            GetAddressResult("1 High Street Bath UK"),
        ),
        (
            partial(GetNameTask, verify_spelling=True),
            "Can you spell your name?",
            calls("update_name", first_name="Ann"),
            calls("confirm_name"),
            GetNameResult("Ann"),
        ),
        (
            GetCardNumberTask,
            "What is your card number?",
            calls("update_card_number", card_number="4242424242424242"),
            calls("confirm_card_number", repeated_card_number="4242424242424242"),
            GetCardNumberResult("Visa", "4242424242424242"),
        ),
    ],
)
async def test_a_task_of_livekit_is_as_patient_with_dictation_as_we_are(
    task: Callable[..., AgentTask[Any]],
    question: str,
    update: llm.FunctionToolCall,
    confirm: llm.FunctionToolCall,
    found: object,
) -> None:
    answers = [calls("ask"), question, update, "Is that right?", confirm, "Thank you, Ann."]
    async with call(*answers, task=task) as line:
        usual = line.patience
        await line.say("write to me")
        assert isinstance(line.agent, AgentTask)
        assert line.patience == (1600, 1.6)
        await line.say("it is this one of course and no other")
        assert line.patience == usual
        await line.say("that is right")
        assert line.desk.found == found
        assert line.agent is line.desk
        assert line.tts.texts[-1] == "Thank you, Ann."


async def test_a_german_call_goes_by_german_phrases_after_a_hand_off_too() -> None:
    """No engine here recognises German: the words are scripted, and the turns are the call's."""
    hours = "Wir haben montags bis freitags von neun bis fünf geöffnet, und samstags bis zwei Uhr."
    answers = [hours, "Wie lautet Ihre Telefonnummer?", "Danke."]
    async with call(HAND_OVER, *answers, language="de") as line:
        await line.say("verbinden Sie mich bitte")
        assert line.agent is line.desk.second
        usual = line.patience
        await line.say("wann haben Sie geöffnet", seconds=2)
        await line.say("alles klar", seconds=1)
        assert line.loudspeaker.playing
        await line.say("warten Sie ich habe noch eine Frage")
        assert line.tts.texts[-1] == "Wie lautet Ihre Telefonnummer?"
        assert line.patience == (1600, 1.6)
        await line.say("eins zwei drei vier fünf sechs")
        assert line.patience == usual


async def test_an_agent_goes_on_where_another_one_died() -> None:
    said = [Said("user", "is there a table"), Said("assistant", "Yes, at eight.")]
    async with call("For how many?", said_before=said) as line:
        assert (
            line.session.history.messages()[0].text_content == CannedPrompt.CUT_OFF.recorded().text
        )
        await line.say("I will take it")
        texts = [
            "is there a table",
            "Yes, at eight.",
            CannedPrompt.CUT_OFF.recorded().text,
            "I will take it",
        ]
        assert line.llm.asked == [["the desk", *texts]]


async def test_an_agent_reads_what_was_kept_since_it_came() -> None:
    async with call(HAND_OVER, HOURS, "Yes.", HOURS) as line:
        await line.say("one moment")
        await line.say("connect me")
        assert line.llm.asked[0][-2:] == ["one moment", "connect me"]
        await line.say("hold on please")
        await line.say("when do you open")
        assert line.llm.asked[1] == ["the second", "hold on please", "when do you open"]


class Failing(stt.STT[Any]):
    """Fail in a way that is none of LiveKit's."""

    def __init__(self, *, at_once: bool) -> None:
        capabilities = stt.STTCapabilities(streaming=True, interim_results=True)
        super().__init__(capabilities=capabilities)
        self._at_once = at_once

    async def _recognize_impl(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def stream(self, *, conn_options: Any, **_: Any) -> Any:
        if self._at_once:
            raise ValueError("no stream")
        return Stream(stt=self, conn_options=conn_options)


class Stream(stt.RecognizeStream):
    async def _run(self) -> None:
        raise ValueError("in mid-stream")


@pytest.mark.parametrize("at_once", [True, False])
async def test_speech_recognition_that_fails_in_whatever_way_is_reported(at_once: bool) -> None:
    failed: list[Exception] = []
    session: AgentSession[None] = AgentSession(
        stt=Failing(at_once=at_once), vad=None, turn_handling={"turn_detection": "stt"}
    )
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
    settings = load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})
    turn_taking = TurnTaking(settings, STT(api_key="key"), session)
    agents = CallAgents(session, turn_taking, CallTools(session), cannot_hear=failed.append)
    subscribe(session, None, turn_taking, agents)
    session.input.audio = SilentInput()
    await session.start(Agent(instructions=""), record=False)
    await asyncio.sleep(5)
    await session.aclose()
    assert [type(each) for each in failed] == [ValueError]


class Odd(Agent):
    """Its nodes are of all the kinds that LiveKit allows."""

    def __init__(self, answer: str | None) -> None:
        super().__init__(instructions="")
        self.answer = answer

    async def llm_node(self, chat_ctx: ChatContext, tools: list[llm.Tool], _: Any) -> Any:
        return self.answer


@pytest.mark.parametrize(("answer", "said"), [("Yes.", ["Yes."]), (None, [])])
async def test_nodes_of_an_agent_may_return_a_text_or_nothing(
    answer: str | None, said: list[str]
) -> None:
    async with conversation(Odd(answer)) as talk:
        await talk.session.generate_reply(user_input="Well?")
        messages = talk.session.history.messages()
        assert [each.text_content for each in messages if each.role == "assistant"] == said


async def test_a_second_agent_is_greeted_by_nobody_and_its_own_entrance_counts() -> None:
    class Second(Agent):
        async def on_enter(self) -> None:
            self.session.say("The second.")

    async with conversation(Desk(Second(instructions="")), HAND_OVER, greeting="Hi.") as talk:
        await talk.ask("connect me")
        await talk.session.wait_for_idle()
        messages = talk.session.history.messages()
        said = [each.text_content for each in messages if each.role == "assistant"]
        assert said == ["Hi.", "One moment.", "The second."]
