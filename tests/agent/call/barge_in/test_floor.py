"""Who has the word in a session, and how its voice yields. On a virtual clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, vad
from livekit.agents.voice import SpeechHandle

from agent.call.barge_in.by_voice import LIMITS, VoiceBargeIn
from agent.call.barge_in.floor import SessionFloor
from agent.call.barge_in.interruptions import Verdict
from agent.call.history.marked import Mark, MarkedUtterance, mark_of
from agent.call.output.playout import Playout
from agent.call.voices.vad_tap import RESULT_SECONDS, TappedVAD
from workbench.standins.scripted import RATE, Loudspeaker, ScriptedVAD

pytestmark = pytest.mark.looptime

VOICE, SILENCE = 0.95, 0.01


class Line:
    """A session that says what it is given, and its floor."""

    def __init__(self) -> None:
        self.loudspeaker = Loudspeaker()
        self.vad = TappedVAD(ScriptedVAD())
        self.session: AgentSession[None] = AgentSession(vad=self.vad)
        self.session.output.audio = self.loudspeaker
        self.floor = SessionFloor(self.session, Playout(), VoiceBargeIn(LIMITS["balanced"], 0.4))

    async def say(self, seconds: float, *, last_words: bool = False) -> SpeechHandle:
        """It is heard when this returns."""
        speech = self.session.say(
            "Once upon a time.", audio=_sound(seconds), allow_interruptions=not last_words
        )
        await self.loudspeaker.changes.until(
            lambda: self.loudspeaker.playing, timeout_seconds=5, what="the agent"
        )
        await asyncio.sleep(0.3)
        return speech

    async def hear(self, seconds: float, probability: float = VOICE, level: int = 3000) -> float:
        """The caller's line, result by result; how much of the agent was heard meanwhile."""
        before = self.loudspeaker.played_seconds
        for _ in range(round(seconds / RESULT_SECONDS)):
            await asyncio.sleep(RESULT_SECONDS)
            self.floor.heard(_result(probability, level))
        return self.loudspeaker.played_seconds - before


async def _sound(seconds: float) -> AsyncIterator[rtc.AudioFrame]:
    for _ in range(round(seconds * 10)):
        samples = np.full(RATE // 10, 1000, np.int16)
        yield rtc.AudioFrame(samples.tobytes(), RATE, 1, samples.size)


def _result(probability: float, level: int) -> vad.VADEvent:
    samples = np.full(512, level, np.int16)
    frame = rtc.AudioFrame(samples.tobytes(), RATE, 1, samples.size)
    kind = vad.VADEventType.INFERENCE_DONE
    return vad.VADEvent(kind, 0, 0.0, 0.0, 0.0, frames=[frame], probability=probability)


@asynccontextmanager
async def call() -> AsyncIterator[Line]:
    line = Line()
    await line.session.start(Agent(instructions=""), record=False)
    line.floor.begin()
    try:
        yield line
    finally:
        await line.session.aclose()
        line.floor.close()


async def test_a_short_voice_stops_nothing() -> None:
    async with call() as line:
        await line.say(3)
        assert await line.hear(0.2) == pytest.approx(0.2, abs=0.05)
        assert await line.hear(1, SILENCE) == pytest.approx(1, abs=0.05)


async def test_a_voice_that_lasts_silences_it_and_it_goes_on_where_it_was() -> None:
    async with call() as line:
        speech = await line.say(3)
        await line.hear(0.6)
        assert await line.hear(0.5) == 0
        await line.hear(5, SILENCE)
        await speech.wait_for_playout()
        assert not speech.interrupted
        assert line.loudspeaker.played_seconds == pytest.approx(3, abs=0.05)


async def test_a_doubtful_word_silences_it_until_it_is_taken_back() -> None:
    async with call() as line:
        await line.say(3)
        line.floor.on_verdict(Verdict.MAYBE_MISHEARD)
        await line.hear(0.3, SILENCE)
        assert await line.hear(1, SILENCE) == 0
        line.floor.on_verdict(None)
        assert await line.hear(1, SILENCE) == pytest.approx(1, abs=0.1)


async def test_a_voice_far_softer_than_the_callers_own_is_an_aside() -> None:
    async with call() as line:
        await line.hear(1, level=8000)  # the caller's turn
        await line.say(3)
        begun_at = asyncio.get_running_loop().time()
        await line.hear(0.5, level=2000)
        assert line.floor.is_aside(begun_at)
        await line.hear(0.5, level=8000)
        assert not line.floor.is_aside(begun_at)


async def test_its_last_words_are_said_over_every_voice() -> None:
    async with call() as line:
        speech = await line.say(3, last_words=True)
        assert not line.floor.may_be_taken()
        assert await line.hear(1) == pytest.approx(1, abs=0.05)
        line.floor.interrupt("stop")
        assert not speech.interrupted


async def test_the_floor_is_the_agents_while_it_speaks_and_can_be_taken() -> None:
    async with call() as line:
        assert not line.floor.agent_has_it()
        line.floor.interrupt("stop")
        speech = await line.say(3)
        assert line.floor.agent_has_it()
        line.floor.interrupt("stop")
        assert speech.interrupted
        assert not line.floor.agent_has_it()


async def test_what_is_softer_than_the_caller_in_their_own_turn_is_not_yielded_to() -> None:
    async with call() as line:
        await line.hear(3, level=6000)
        await line.hear(1, SILENCE)
        await line.say(3)
        assert await line.hear(1, level=300) == pytest.approx(1, abs=0.05)


async def test_what_is_kept_stands_in_the_history() -> None:
    async with call() as line:
        line.floor.keep(MarkedUtterance("uh-huh", Mark.BACKCHANNEL, 1_000.0, "en"))
        assert Mark.BACKCHANNEL in [mark_of(each) for each in line.session.history.items]


async def test_a_session_without_a_voice_detector_or_an_output_has_a_floor_as_well() -> None:
    session: AgentSession[None] = AgentSession(vad=None)
    floor = SessionFloor(session, Playout(), VoiceBargeIn(LIMITS["balanced"], 0.4))
    floor.begin()
    floor.on_verdict(Verdict.MAYBE_MISHEARD)
    floor.close()
    assert not floor.agent_has_it()


class Told:
    """What a witness of the agent's voice learns."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def fell_silent(self) -> None:
        self.lines.append("silent")

    def went_on(self) -> None:
        self.lines.append("on")

    def floor_taken(self, words: str) -> None:
        self.lines.append(words)


async def test_a_witness_learns_when_the_agent_yields_goes_on_and_is_interrupted() -> None:
    async with call() as line:
        line.floor.witness = told = Told()
        await line.say(5)
        line.floor.on_verdict(Verdict.MAYBE_MISHEARD)
        await line.hear(0.5, SILENCE)
        line.floor.on_verdict(None)
        await line.hear(1, SILENCE)
        line.floor.on_verdict(Verdict.MAYBE_MISHEARD)
        line.floor.interrupt("stop")
        await line.hear(1, SILENCE)
    assert told.lines == ["silent", "on", "silent", "stop"]
