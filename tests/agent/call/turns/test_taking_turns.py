"""A running AgentSession with scripted ears and loudspeaker: what stops it, what is one turn."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    ChatContext,
    ChatMessage,
    LanguageCode,
    stt,
)

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.session_events import subscribe
from agent.call.turns.dictated_answer import DICTATION_SECONDS
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from config.load import load_settings
from stt_assemblyai.stt import STT
from workbench.standins.scripted import Loudspeaker, ScriptedSTT, ScriptedVAD
from workbench.standins.silent_input import SilentInput

pytestmark = pytest.mark.looptime

RATE = 16_000
SPEECH_SECONDS = 10
TEXT = "Our opening hours are nine to five from Monday to Friday, and ten to two on Saturday."
Type = stt.SpeechEventType


class Clerk(Agent):
    """Greets at length, and notes what it is told."""

    def __init__(self, greeting: str) -> None:
        super().__init__(instructions="")
        self.turns: list[str] = []
        self._text = greeting

    async def on_enter(self) -> None:
        frames = (rtc.AudioFrame(bytes(RATE // 5), RATE, 1, RATE // 10) for _ in range(100))
        self.session.say(self._text, audio=_in_time(frames))

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        self.turns.append(new_message.text_content or "")


async def _in_time(frames: Iterable[rtc.AudioFrame]) -> AsyncIterator[rtc.AudioFrame]:
    for frame in frames:
        yield frame


class Call:
    """A caller who talks over the greeting."""

    def __init__(self, text: str) -> None:
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        given = {"livekit": livekit, "assemblyai": key, "openai": key}
        settings = load_settings(None, given=given)
        self.stt, self.detector, self.loudspeaker = ScriptedSTT(), ScriptedVAD(), Loudspeaker()
        self.session: AgentSession[None] = AgentSession(
            stt=self.stt,
            vad=TappedVAD(self.detector),
            turn_handling=turn_handling(settings),
            aec_warmup_duration=None,
        )
        self.service = STT(api_key="key", options=settings.session_options)
        self.turn_taking = TurnTaking(settings, self.service, self.session)
        agents = CallAgents(self.session, self.turn_taking, CallTools(self.session))
        subscribe(self.session, self.service, self.turn_taking, agents)
        self.clerk = Clerk(text)

    async def start(self) -> None:
        self.session.input.audio = SilentInput()
        self.session.output.audio = self.loudspeaker
        await self.session.start(self.clerk, record=False)
        await self.until(playing=True)
        await asyncio.sleep(2)

    def hear(self, kind: stt.SpeechEventType, text: str = "") -> None:
        words = [stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
        self.stt.events.put_nowait(stt.SpeechEvent(type=kind, alternatives=words))

    async def say(self, *interims: str, final: str = "") -> None:
        """Speak 300 ms; the words come 100 ms later each, the end of the turn 300 ms after it."""
        self.detector.voice = True
        await asyncio.sleep(0.3)
        self.detector.voice = False
        await asyncio.sleep(0.1)
        self.hear(Type.START_OF_SPEECH)
        for text in interims:
            self.hear(Type.INTERIM_TRANSCRIPT, text)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)
        if final:
            self.hear(Type.FINAL_TRANSCRIPT, final)
        self.hear(Type.END_OF_SPEECH)
        await asyncio.sleep(0.1)

    @property
    def patience(self) -> tuple[int | None, float]:
        """AssemblyAI's shortest silence in milliseconds, LiveKit's in seconds."""
        endpointing = self.session.options.endpointing
        return self.service.options.min_turn_silence, endpointing["min_delay"]

    async def until(self, *, playing: bool) -> None:
        await self.loudspeaker.changes.until(
            lambda: self.loudspeaker.playing is playing, timeout_seconds=20, what="the agent"
        )


@asynccontextmanager
async def call(text: str = TEXT) -> AsyncIterator[Call]:
    running = Call(text)
    await running.start()
    try:
        yield running
    finally:
        await running.session.aclose()


async def test_an_acknowledgement_neither_stops_the_agent_nor_begins_the_next_turn() -> None:
    async with call() as line:
        before = line.loudspeaker.played_seconds
        await line.say("uh", "uh-huh", final="Uh-huh.")
        assert line.loudspeaker.played_seconds - before == pytest.approx(0.9, abs=0.1)
        await line.until(playing=False)
        assert line.loudspeaker.played_seconds == pytest.approx(SPEECH_SECONDS, abs=0.1)
        await asyncio.sleep(2)
        await line.say("what time is it", final="What time is it?")
        assert line.clerk.turns == ["What time is it?"]


@pytest.mark.parametrize(
    ("seconds", "least", "most"),
    [(0.1, 0.0, 0.02), (0.2, 0.0, 0.02), (0.6, 0.05, 0.5), (3, 0.6, 1.2)],
)
async def test_for_a_voice_that_lasts_without_words_it_is_silent_and_goes_on_where_it_was(
    seconds: float, least: float, most: float
) -> None:
    async with call() as line:
        before = line.loudspeaker.played_seconds
        line.detector.voice = True
        await asyncio.sleep(seconds)
        line.detector.voice = False
        await asyncio.sleep(4 - seconds)
        silent_seconds = abs(4 - (line.loudspeaker.played_seconds - before))
        assert least <= round(silent_seconds, 2) <= most
        await line.until(playing=False)
        assert line.loudspeaker.played_seconds == pytest.approx(SPEECH_SECONDS, abs=0.1)
        assert line.clerk.turns == []


async def test_the_agent_yields_to_a_voice_before_its_words_are_known() -> None:
    async with call() as line:
        line.detector.voice = True
        await asyncio.sleep(0.6)
        silent_since = line.loudspeaker.played_seconds
        await asyncio.sleep(0.5)
        assert line.loudspeaker.played_seconds == pytest.approx(silent_since, abs=0.05)


async def test_an_interjection_stops_the_agent_and_is_a_turn() -> None:
    async with call() as line:
        saying = asyncio.create_task(line.say("stop", final="Stop."))
        await asyncio.sleep(0.45)  # the word is there after 0.4 s
        assert not line.loudspeaker.playing
        await saying
        assert line.clerk.turns == ["Stop."]
        assert line.loudspeaker.played_seconds < 3


async def test_after_a_false_interruption_it_goes_on_where_it_stopped() -> None:
    async with call() as line:
        await line.say("hunger", "uh-huh", final="Uh-huh.")
        await line.until(playing=False)
        assert line.loudspeaker.played_seconds == pytest.approx(SPEECH_SECONDS, abs=0.1)
        assert line.clerk.turns == []


async def test_a_word_that_stays_keeps_it_silent() -> None:
    async with call() as line:
        await line.say("banana", final="Banana.")
        await asyncio.sleep(2)
        assert not line.loudspeaker.playing
        assert line.clerk.turns == ["Banana."]


QUESTION = "Thank you. What is your phone number, please?"


async def asked(line: Call) -> None:
    """Hear the question out."""
    await line.until(playing=False)
    await asyncio.sleep(1)


@pytest.mark.parametrize("answer", ["555-0199.", "Five five five oh one."])
async def test_a_question_for_a_number_makes_both_sides_patient_until_it_is_there(
    answer: str,
) -> None:
    async with call(QUESTION) as line:
        assert line.patience == (1600, 1.6)
        await asked(line)
        await line.say(final="I have it here.")
        await asyncio.sleep(2)
        assert line.clerk.turns == ["I have it here."]
        assert line.patience == (1600, 1.6)
        await line.say(final=answer)
        await asyncio.sleep(2)
        assert line.patience == (160, 0.0)


async def test_patience_for_an_answer_that_never_comes_has_an_end() -> None:
    async with call(QUESTION) as line:
        await asyncio.sleep(DICTATION_SECONDS)
        assert line.patience == (160, 0.0)


async def test_the_agents_next_question_decides_anew() -> None:
    patient, usual = (1600, 1.6), (160, 0.0)
    async with call(QUESTION) as line:
        await asked(line)
        for text, patience in (
            ("Take your time.", patient),
            ("Or is this a bad moment?", usual),
            ("So what is your e-mail address?", patient),
        ):
            line.session.say(text, audio=_in_time([rtc.AudioFrame(bytes(2), RATE, 1, 1)]))
            await asyncio.sleep(1)
            assert line.patience == patience


GROUPS = ("Five five five.", "Zero one.", "Nine nine.")


@pytest.mark.parametrize(
    ("question", "turns"),
    [(QUESTION, [" ".join(GROUPS)]), ("How many were there?", list(GROUPS))],
)
async def test_a_number_in_groups_is_one_turn_when_it_was_asked_for(
    question: str, turns: list[str]
) -> None:
    """Even from a service that ends a turn at each of the pauses, a second long."""
    async with call(question) as line:
        await asked(line)
        for group in GROUPS:
            await line.say(final=group)
            await asyncio.sleep(0.5)
        await asyncio.sleep(3)
        assert line.clerk.turns == turns


async def test_code_may_ask_for_patience_as_well() -> None:
    async with call() as line:
        with line.turn_taking.dictation():
            assert line.patience == (1600, 1.6)
        assert line.patience == (160, 0.0)


@pytest.mark.parametrize("name", ["conservative", " balanced\n"])
async def test_a_preset_is_changed_by_its_name(name: str) -> None:
    async with call() as line:
        assert await line.turn_taking.change_by_name(name) == name.strip()
        assert line.turn_taking.preset == name.strip()


async def test_a_name_that_no_preset_has_changes_nothing() -> None:
    async with call() as line:
        with pytest.raises(ValueError, match="one of seed, aggressive, balanced, conservative"):
            await line.turn_taking.change_by_name("patient")
        assert line.turn_taking.preset == "seed"
