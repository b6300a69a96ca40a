"""A caller who asks the agent to wait is waited for. Time is the virtual clock's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession, ConversationItemAddedEvent, stt

from agent.call.agents import CallAgents
from agent.call.barge_in.interruptions import asks_to_wait
from agent.call.call_tools import CallTools
from agent.call.endings import Ending
from agent.call.history.marked import Mark, mark_of
from agent.call.reply.fillers import Fillers
from agent.call.session_events import subscribe
from agent.call.silence import Silence
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from config.behaviour import AgentSettings
from config.load import load_settings
from config.phrases import read_phrasebook
from config.settings import Settings
from stt_assemblyai.stt import STT
from workbench.local.sample_settings import sample_settings
from workbench.standins.scripted import (
    Loudspeaker,
    ScriptedLLM,
    ScriptedSTT,
    ScriptedTTS,
    ScriptedVAD,
)
from workbench.standins.silent_input import SilentInput

Type = stt.SpeechEventType
PHRASEBOOK = sample_settings().files.phrasebook


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "One moment."),
        ("en", "Hold on, please."),
        ("en", "Yes, um, let me look."),
        ("en", "Okay, sorry, give me a second, I'll be right back."),
        ("en", "Wait."),
        ("de", "Einen Moment bitte."),
        ("es", "Espere un momento, por favor."),
        ("fr", "Une seconde, s'il vous plaît."),
        ("it", "Un attimo, scusi."),
        ("pt", "Só um momentinho."),
        ("ja", "すみません、ちょっと待ってください。"),
        ("zh", "请稍等一下。"),
        ("ko", "잠시만요."),
        ("fi", "Pieni hetki."),
        ("tr", "Bir dakika lütfen."),
        ("", "Hold on."),
    ],
)
def test_these_ask_the_agent_to_wait(language: str, text: str) -> None:
    assert asks_to_wait(text, PHRASEBOOK.of(language))


@pytest.mark.parametrize(
    "text",
    [
        "Hold on, my number is five.",
        "One moment ago it worked.",
        "Please.",
        "Okay, sorry.",
        "Yes.",
        "",
        "Wait, no.",
        "Let me look at the second one.",
    ],
)
def test_these_do_not(text: str) -> None:
    assert not asks_to_wait(text, PHRASEBOOK.of("en"))


def test_a_folder_without_these_lists_holds_nobody_up(tmp_path: Path) -> None:
    lists = 'acknowledgements = ["yes"]\ninterjections = ["wait"]\ndictation = ["spell"]\n'
    (tmp_path / "en.toml").write_text(lists, encoding="utf-8")
    assert not asks_to_wait("Wait.", read_phrasebook(tmp_path).of("en"))


class Call:
    """A session whose caller says what a test says, as AssemblyAI tells it."""

    def __init__(self, settings: Settings) -> None:
        self.script, self.llm = ScriptedSTT(), ScriptedLLM("I have written that down.")
        self.session: AgentSession[None] = AgentSession(
            stt=self.script,
            vad=ScriptedVAD(),
            llm=self.llm,
            tts=ScriptedTTS(),
            turn_handling=turn_handling(settings),
            user_away_timeout=settings.agent.silence_seconds,
        )
        self.session.output.audio = Loudspeaker()
        self.session.input.audio = SilentInput()
        self.heard: list[str] = []
        self.filled = 0
        self.told: list[tuple[str, str]] = []
        self.ended: list[Ending] = []
        turn_taking = TurnTaking(settings, STT(api_key="key"), self.session)
        fillers = Fillers(self.session, delay_seconds=1, play=self.fill)
        self.silence = Silence(self.session, settings.agent, self.ended.append, knows_stt=False)
        greeting = "Hello, what is your number?"
        agents = CallAgents(self.session, turn_taking, CallTools(self.session), greeting)
        subscribe(self.session, None, turn_taking, fillers, self.silence, agents)
        self.session.on("conversation_item_added", self._on_item)
        self.assistant = Agent(instructions="")

    async def fill(self) -> None:
        self.filled += 1

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        mark: Any = mark_of(event.item)
        self.told.append((getattr(event.item, "text_content", ""), mark.value if mark else ""))

    async def says(self, text: str) -> None:
        """A turn: a partial, a pause that may be the end, the end."""
        detector = self.session.vad
        assert isinstance(detector, ScriptedVAD)
        detector.voice = True
        self._tell(Type.START_OF_SPEECH, "")
        await asyncio.sleep(0.5)
        self._tell(Type.INTERIM_TRANSCRIPT, text)
        detector.voice = False
        await asyncio.sleep(0.3)
        self._tell(Type.PREFLIGHT_TRANSCRIPT, text)
        await asyncio.sleep(0.3)
        self._tell(Type.FINAL_TRANSCRIPT, text)
        self._tell(Type.END_OF_SPEECH, "")

    def _tell(self, kind: stt.SpeechEventType, text: str) -> None:
        said = [stt.SpeechData(language="en", text=text, confidence=0.9)] if text else []  # type: ignore[arg-type]
        self.script.events.put_nowait(stt.SpeechEvent(type=kind, alternatives=said))

    @property
    def history(self) -> list[str]:
        return [each.text_content or "" for each in self.session.history.messages()]


@asynccontextmanager
async def calling(**agent: Any) -> AsyncIterator[Call]:
    """A call whose greeting has been heard."""
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
    given = {"livekit": livekit, "assemblyai": key, "openai": key, "agent": agent}
    call = Call(load_settings(None, given=given))
    watching = asyncio.create_task(call.silence.watch())
    try:
        await call.session.start(call.assistant, record=False)
        await asyncio.sleep(8)
        yield call
    finally:
        watching.cancel()
        await call.session.aclose()


HELLO = "Hello, what is your number?"


@pytest.mark.looptime
async def test_who_asks_for_a_moment_is_waited_for_and_the_model_reads_it_with_what_comes() -> None:
    async with calling() as call:
        await call.says("One moment, please.")
        await asyncio.sleep(15)
        assert (call.llm.asked, call.filled) == ([], 0)
        assert call.history == [HELLO, "One moment, please."]
        assert call.told[1:] == [(HELLO, ""), ("One moment, please.", "hold")]
        assert call.session.agent_state == "listening"
        await call.says("It is five five five.")
        await asyncio.sleep(10)
        reply = "I have written that down."
        assert call.history == [HELLO, "One moment, please.", "It is five five five.", reply]
        assert call.llm.asked == [
            [
                ("assistant", HELLO),
                ("user", "One moment, please."),
                ("user", "It is five five five."),
            ]
        ]


@pytest.mark.looptime
async def test_after_the_longest_wait_the_caller_is_asked_whether_they_are_there() -> None:
    async with calling(hold_seconds=60, silence_seconds=20) as call:
        await call.says("Hold on.")
        await asyncio.sleep(55)
        assert call.history == [HELLO, "Hold on."]
        await asyncio.sleep(10)
        assert call.history == [HELLO, "Hold on.", AgentSettings().still_there]
        assert call.ended == []
        await asyncio.sleep(25)
        assert call.ended == [Ending.CALLER_SILENT]


@pytest.mark.looptime
async def test_a_turn_that_goes_on_is_answered() -> None:
    async with calling() as call:
        await call.says("Hold on, my number is five.")
        await asyncio.sleep(10)
        assert call.history[2:] == ["I have written that down."]
        assert mark_of(call.session.history.messages()[1]) is None


@pytest.mark.looptime
async def test_an_agent_that_is_not_to_wait_answers() -> None:
    async with calling(hold_seconds=0) as call:
        await call.says("One moment.")
        await asyncio.sleep(10)
        assert call.history[2:] == ["I have written that down."]
        assert Mark.HOLD not in map(mark_of, call.session.history.items)
