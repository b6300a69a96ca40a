"""A soft "mhm" in a long turn, in a scripted room. Time is the virtual clock's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, stt

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.output.side_track import SideTrack
from agent.call.session_events import subscribe
from agent.call.turns.backchannel_sound import SOFTER_DB, softened
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from config.load import load_settings
from stt_assemblyai.stt import STT
from workbench.standins.scripted import (
    Loudspeaker,
    ScriptedLLM,
    ScriptedSTT,
    ScriptedTTS,
    ScriptedVAD,
)
from workbench.standins.scripted_room import ScriptedRoom
from workbench.standins.silent_input import SilentInput

pytestmark = pytest.mark.looptime

Type = stt.SpeechEventType
AFTER_SECONDS = 6.0
LEVEL = 8000
LONG = "I was in your shop last week with my brother and"
REPLY = "I have written that down."
MHM = "Mm-hmm."


class Call:
    """A session, a caller who says what the test says, and a room that hears what is beside it."""

    def __init__(self, voice: ScriptedTTS, **agent: Any) -> None:
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        given = {"backchannel_seconds": AFTER_SECONDS} | agent
        settings = load_settings(
            None, given={"livekit": livekit, "assemblyai": key, "openai": key, "agent": given}
        )
        self.room, self.voice, self.llm = ScriptedRoom(), voice, ScriptedLLM(REPLY)
        self.script, self.detector = ScriptedSTT(), ScriptedVAD()
        self.session: AgentSession[None] = AgentSession(
            stt=self.script,
            vad=TappedVAD(self.detector),
            llm=self.llm,
            tts=voice,
            turn_handling=turn_handling(settings),
            aec_warmup_duration=None,
        )
        self.session.output.audio = Loudspeaker()
        self.session.input.audio = SilentInput()
        self.turn_taking = TurnTaking(settings, STT(api_key="key"), self.session)
        greeting = "How can I help you?"
        agents = CallAgents(self.session, self.turn_taking, CallTools(self.session), greeting)
        subscribe(self.session, None, self.turn_taking, agents)
        if self.turn_taking.backchannel_sound:
            self.turn_taking.backchannel_sound.track = SideTrack(self.room.publish_side_track)
        self.states: list[str] = []
        self.session.on("agent_state_changed", lambda event: self.states.append(event.new_state))
        self.assistant = Agent(instructions="")

    async def speaks(self, text: str, seconds: float, *, first: bool = True) -> None:
        """Words that come while the voice lasts."""
        self.detector.voice = True
        if first:
            await asyncio.sleep(0.3)
            self.tell(Type.START_OF_SPEECH)
        await asyncio.sleep(seconds)
        self.tell(Type.INTERIM_TRANSCRIPT, text)
        self.detector.voice = False

    async def ends(self, text: str) -> None:
        """The turn is over."""
        self.tell(Type.PREFLIGHT_TRANSCRIPT, text)
        await asyncio.sleep(0.2)
        self.tell(Type.FINAL_TRANSCRIPT, text)
        self.tell(Type.END_OF_SPEECH)

    def tell(self, kind: stt.SpeechEventType, text: str = "", language: str = "en") -> None:
        said = [stt.SpeechData(language=language, text=text)] if text else []  # type: ignore[arg-type]
        self.script.events.put_nowait(stt.SpeechEvent(type=kind, alternatives=said))

    @property
    def heard(self) -> list[tuple[float, rtc.AudioFrame]]:
        return self.room.side_sound.heard if self.room.side_sound else []

    @property
    def history(self) -> list[str]:
        return [each.text_content or "" for each in self.session.history.messages()][1:]


@asynccontextmanager
async def calling(voice: ScriptedTTS | None = None, **agent: Any) -> AsyncIterator[Call]:
    """A call whose greeting has been heard."""
    call = Call(voice or ScriptedTTS(level=LEVEL), **agent)
    await call.session.start(call.assistant, record=False)
    await asyncio.sleep(6)
    call.states.clear()
    try:
        yield call
    finally:
        await call.session.aclose()


async def test_in_a_long_turn_it_is_heard_once_softly_and_is_no_part_of_the_conversation() -> None:
    async with calling() as call:
        await call.speaks(LONG, AFTER_SECONDS)
        paused_at = asyncio.get_running_loop().time()
        await asyncio.sleep(0.9)
        assert call.heard[0][0] == pytest.approx(paused_at + 0.2, abs=0.1)
        assert sum(frame.duration for _, frame in call.heard) == pytest.approx(0.47, abs=0.05)
        loudest = max(np.abs(np.frombuffer(frame.data, np.int16)).max() for _, frame in call.heard)
        assert 20 * np.log10(loudest / LEVEL) == pytest.approx(-SOFTER_DB, abs=0.1)
        assert (call.states, call.history, call.llm.asked) == ([], [], [])
        frames = len(call.heard)
        whole = f"{LONG} my sister too, and"
        await call.speaks(whole, AFTER_SECONDS, first=False)
        await asyncio.sleep(0.6)
        await call.ends(whole)
        await asyncio.sleep(5)
        assert len(call.heard) == frames
        assert call.history == [whole, REPLY]
        assert call.voice.texts.count(MHM) == 1


async def _answered(seconds: float) -> tuple[list[float], int]:
    """When the agent began to think and to speak after a long turn with a pause in it, and how much
    was heard beside its voice."""
    async with calling(backchannel_seconds=seconds) as call:
        loop = asyncio.get_running_loop()
        began, changes = loop.time(), []
        call.session.on("agent_state_changed", lambda _: changes.append(loop.time() - began))
        await call.speaks(LONG, AFTER_SECONDS)
        await asyncio.sleep(0.3)
        whole = f"{LONG} my sister"
        await call.speaks(whole, 0.2, first=False)
        await asyncio.sleep(0.1)
        await call.ends(whole)
        await asyncio.sleep(5)
        return [round(each, 2) for each in changes], len(call.heard)


async def test_the_turn_and_its_answer_take_as_long_as_without_it() -> None:
    without, nothing = await _answered(0)
    with_it, heard = await _answered(AFTER_SECONDS)
    assert with_it == pytest.approx(without, abs=0.05)
    assert (len(without), nothing) == (3, 0)
    assert heard > 10


async def test_the_sound_is_kept_for_the_next_long_turn() -> None:
    async with calling() as call:
        for _ in range(2):
            await call.speaks(LONG, AFTER_SECONDS)
            await asyncio.sleep(0.9)
            await call.ends(LONG)
            await asyncio.sleep(5)
        assert call.voice.texts.count(MHM) == 1
        assert len(call.heard) == 2 * len(softened_frames())


def softened_frames() -> list[rtc.AudioFrame]:
    samples = round(16_000 * len(MHM) / 15)
    data = LEVEL.to_bytes(2, "little") * samples
    return softened(rtc.AudioFrame(data, 16_000, 1, samples), MHM)


async def test_it_is_off_by_default() -> None:
    async with calling(backchannel_seconds=0) as call:
        await call.speaks(LONG, 4 * AFTER_SECONDS)
        await asyncio.sleep(0.9)
        assert (call.heard, call.turn_taking.backchannel_sound) == ([], None)


async def test_a_turn_that_may_be_ending_hears_none() -> None:
    async with calling() as call:
        await call.speaks("I was in your shop last week with my brother", AFTER_SECONDS)
        await asyncio.sleep(0.9)
        assert call.heard == []


async def test_a_turn_whose_end_was_held_back_goes_on() -> None:
    async with calling() as call:
        await call.speaks("I was in your shop last week", AFTER_SECONDS)
        call.tell(Type.FINAL_TRANSCRIPT, "I was in your shop last week")
        await asyncio.sleep(0.9)
        assert call.heard == []
        await call.speaks("and he said", 2.0, first=False)
        await asyncio.sleep(0.9)
        assert call.heard == []
        await call.speaks("and he said that", 2.0, first=False)
        await asyncio.sleep(0.9)
        assert call.heard


async def test_while_a_number_is_dictated_none_is_heard() -> None:
    async with calling() as call:
        with call.turn_taking.dictation():
            await call.speaks("it is five five five one two three four and", AFTER_SECONDS)
            await asyncio.sleep(0.9)
        assert call.heard == []


async def test_who_has_asked_for_a_moment_hears_none_until_they_are_answered() -> None:
    async with calling() as call:
        await call.speaks("One moment, please.", 1.0)
        await call.ends("One moment, please.")
        await asyncio.sleep(3)
        await call.speaks(LONG, AFTER_SECONDS)
        await asyncio.sleep(0.9)
        assert call.heard == []
        await call.ends(LONG)
        await asyncio.sleep(5)
        await call.speaks(LONG, AFTER_SECONDS)
        await asyncio.sleep(0.9)
        assert call.heard


async def test_it_is_said_in_the_language_of_the_caller() -> None:
    async with calling() as call:
        call.detector.voice = True
        await asyncio.sleep(0.3)
        call.tell(Type.START_OF_SPEECH)
        await asyncio.sleep(1)
        call.tell(Type.INTERIM_TRANSCRIPT, "Ich war letzte Woche", language="de")
        await asyncio.sleep(AFTER_SECONDS)
        text = "Ich war letzte Woche mit meinem Bruder in Ihrem Laden,"
        call.tell(Type.INTERIM_TRANSCRIPT, text, language="de")
        call.detector.voice = False
        await asyncio.sleep(0.9)
        assert call.heard
        assert "Mhm." in call.voice.texts
        assert MHM not in call.voice.texts


async def test_the_agents_own_voice_ends_it() -> None:
    async with calling() as call:
        await call.speaks(LONG, AFTER_SECONDS)
        await asyncio.sleep(0.3)
        assert call.heard
        frames = len(call.heard)
        call.session.say("I have to go.")
        await asyncio.sleep(3)
        assert len(call.heard) <= frames + 2 < len(softened_frames())


class Spells(ScriptedTTS):
    """Says each of its letters."""

    def __init__(self) -> None:
        super().__init__(letters_a_second=4, level=LEVEL)


class Fails(ScriptedTTS):
    """Says what is long, and nothing that is short."""

    def synthesize(self, text: str, *, conn_options: Any = None) -> Any:
        if text == MHM:
            raise ConnectionError
        return super().synthesize(text, conn_options=conn_options)


@pytest.mark.parametrize("voice", [Spells, Fails, ScriptedTTS], ids=["spells", "fails", "silent"])
async def test_a_voice_that_makes_no_such_sound_costs_no_call(voice: type[ScriptedTTS]) -> None:
    async with calling(voice()) as call:
        for _ in range(2):
            await call.speaks(LONG, AFTER_SECONDS)
            await asyncio.sleep(0.9)
            await call.ends(LONG)
            await asyncio.sleep(8)
        assert call.heard == []
        assert call.history == [LONG, REPLY, LONG, REPLY]
        assert call.voice.texts.count(MHM) <= 1


async def test_a_track_that_fails_costs_no_call() -> None:
    async def publish() -> Any:
        raise ConnectionError

    async with calling() as call:
        assert call.turn_taking.backchannel_sound
        call.turn_taking.backchannel_sound.track = SideTrack(publish)
        await call.speaks(LONG, AFTER_SECONDS)
        await asyncio.sleep(0.9)
        await call.ends(LONG)
        await asyncio.sleep(8)
        assert call.history == [LONG, REPLY]
