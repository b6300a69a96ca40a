"""What is recorded of conversations in a real session of LiveKit, with providers from a script.

Time is virtual. A caller speaks when the test says so, and the recogniser says what the test says.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit.agents import Agent, AgentSession, LanguageCode, stt

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.session_events import subscribe
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from agent.records.schema import Line, Overlap, Said, Turn
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

pytestmark = pytest.mark.looptime

Type = stt.SpeechEventType
QUESTION = "what time do you open"
ANSWER = "We open at nine every day, and we close at six, except on Sundays and on holidays."


def event(kind: stt.SpeechEventType, text: str = "", **known: object) -> stt.SpeechEvent:
    metadata = {"end_of_turn_confidence": 0.9, "settled": True, **known}
    words = stt.SpeechData(LanguageCode("en"), text, metadata=metadata)
    return stt.SpeechEvent(kind, alternatives=[words] if text else [])


class Call:
    """A call, its caller and its record."""

    def __init__(self) -> None:
        settings = sample_settings()
        self.told: list[Line] = []
        self.recorder = CallRecorder([self.told.append])
        self.stt, self.detector, self.loudspeaker = ScriptedSTT(), ScriptedVAD(), Loudspeaker()
        self.session: AgentSession[None] = AgentSession(
            stt=self.stt,
            vad=TappedVAD(self.detector),
            llm=ScriptedLLM(ANSWER),
            tts=ScriptedTTS(),
            turn_handling=turn_handling(settings),
            aec_warmup_duration=None,
        )
        service = STT(api_key="key", options=settings.session_options)
        taking = TurnTaking(settings, service, self.session)
        agents = CallAgents(
            self.session, taking, CallTools(self.session), "Hello.", recorder=self.recorder
        )
        subscribe(self.session, service, self.recorder, taking, agents)

    async def until(self, *, playing: bool) -> None:
        await self.loudspeaker.changes.until(
            lambda: self.loudspeaker.playing is playing, timeout_seconds=30, what="the agent"
        )

    async def says(self, *steps: float | stt.SpeechEvent) -> None:
        """Positive numbers are seconds of voice, negative ones of silence; events come between."""
        for step in steps:
            if isinstance(step, stt.SpeechEvent):
                self.stt.events.put_nowait(step)
            else:
                self.detector.voice = step > 0
                await asyncio.sleep(abs(step))

    async def ends(self) -> list[Turn]:
        """The caller hangs up; the turns of the record."""
        await self.session.aclose()
        self.recorder.end("caller_left")
        return [each for each in self.told if isinstance(each, Turn)]


@asynccontextmanager
async def called() -> AsyncIterator[Call]:
    call = Call()
    call.recorder.begin()
    call.session.input.audio = SilentInput()
    call.session.output.audio = call.loudspeaker
    await call.session.start(Agent(instructions=""), record=False)
    await call.until(playing=True)
    await call.until(playing=False)
    await asyncio.sleep(2)
    try:
        yield call
    finally:
        await call.session.aclose()


def asked(pause: str, text: str = QUESTION) -> tuple[float | stt.SpeechEvent, ...]:
    """A question, with a pause after the first words `pause` in which a reply is begun early."""
    return (
        *(0.4, event(Type.START_OF_SPEECH), event(Type.INTERIM_TRANSCRIPT, pause)),
        *(-0.3, event(Type.PREFLIGHT_TRANSCRIPT, pause), -0.3),
        *(event(Type.FINAL_TRANSCRIPT, text, end_reason="confidence"), event(Type.END_OF_SPEECH)),
    )


async def test_a_reply_that_was_begun_early_is_in_the_record_of_its_turn() -> None:
    async with called() as call:
        await call.says(*asked(QUESTION))
        await call.until(playing=True)
        await call.until(playing=False)
        greeting, turn = await call.ends()
    assert (greeting.index, greeting.origin, turn.index, turn.origin) == (
        1,
        "greeting",
        2,
        "caller",
    )
    part, reply = turn.caller_part, turn.reply
    assert reply
    assert (reply.preemptive, reply.preemptive_wasted) == ("used", 0)
    assert (part.end_reason, part.end_confidence) == ("confidence", 0.9)
    before = [part.started_ms, reply.asked_ms, reply.first_token_ms, part.committed_ms]
    after = [part.decided_ms, part.committed_ms, reply.first_sound_ms, reply.ended_ms]
    for times in (before, after):
        known = [each for each in times if each is not None]
        assert known == sorted(known)
        assert len(known) == 4
    assert " ".join(each.text for each in reply.words) == ANSWER


async def test_one_that_was_begun_to_other_words_was_thrown_away() -> None:
    async with called() as call:
        await call.says(*asked("what time"))
        await call.until(playing=True)
        await call.until(playing=False)
        _, turn = await call.ends()
    assert turn.reply
    assert (turn.reply.preemptive, turn.reply.preemptive_wasted) == ("thrown_away", 1)


async def test_an_interruption_is_in_the_record_with_the_words_that_made_it() -> None:
    async with called() as call:
        await call.says(*asked(QUESTION))
        await call.until(playing=True)
        await call.says(-1.0)
        words = "no I meant on Sunday"
        await call.says(0.6, event(Type.START_OF_SPEECH), event(Type.INTERIM_TRANSCRIPT, words))
        await call.says(0.2, -0.3, event(Type.FINAL_TRANSCRIPT, words), event(Type.END_OF_SPEECH))
        await call.until(playing=True)
        await call.until(playing=False)
        _, first, second = await call.ends()
    assert first.reply
    assert second.reply
    (interruption,) = first.reply.interruptions
    assert (interruption.outcome, first.reply.ended_ms) == ("true", interruption.at_ms)
    assert " ".join(each.text for each in interruption.words) == words
    assert first.cut_off_for_ms is not None
    assert second.caller_part.started_ms == pytest.approx(
        (first.reply.first_sound_ms or 0) + first.cut_off_for_ms, abs=50
    )
    assert [each.taken_for for each in call.told if isinstance(each, Overlap)] == ["interruption"]


async def test_a_backchannel_is_no_turn_and_the_agent_goes_on() -> None:
    async with called() as call:
        await call.says(*asked(QUESTION))
        await call.until(playing=True)
        await call.says(-1.0)
        await call.says(0.6, event(Type.START_OF_SPEECH), event(Type.INTERIM_TRANSCRIPT, "yeah"))
        await call.says(-0.4, event(Type.FINAL_TRANSCRIPT, "yeah"), event(Type.END_OF_SPEECH))
        await call.says(-1.0)
        await call.until(playing=False)
        _, turn = await call.ends()
    assert turn.reply
    assert {each.outcome for each in turn.reply.interruptions} <= {"false"}
    assert " ".join(each.text for each in turn.reply.words) == ANSWER
    marked = [each for each in call.told if isinstance(each, Said) and each.mark]
    assert [(each.text, each.mark, each.turn) for each in marked] == [("yeah", "backchannel", None)]


async def test_a_caller_who_hangs_up_in_mid_sentence_is_recorded() -> None:
    async with called() as call:
        await call.says(0.4, event(Type.START_OF_SPEECH))
        await call.says(event(Type.INTERIM_TRANSCRIPT, "I would like", settled=False), 0.2)
        await call.ends()
    said = [each for each in call.told if isinstance(each, Said) and each.role == "user"]
    assert [each.text for each in said] == ["I would like"]
