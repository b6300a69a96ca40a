"""When a reply is begun in a running session, to which words, and whether it is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.agents import Agent, AgentSession, ChatContext, LanguageCode, llm, stt, vad
from livekit.agents.metrics import LLMMetrics

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.session_events import subscribe
from agent.call.turns.eagerness import REPLY_LIMITS, Eagerness, Level
from agent.call.turns.early_replies import EarlyReplies
from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from config.load import load_settings
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
OPEN, FINAL, PAUSE = Type.INTERIM_TRANSCRIPT, Type.FINAL_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT
LOW, HIGH = 0.05, 0.9
HELP = "Hello, how can I help you?"


def event(
    kind: stt.SpeechEventType,
    text: str = "",
    confidence: float | None = None,
    settled: bool = False,
) -> stt.SpeechEvent:
    if not text:
        return stt.SpeechEvent(type=kind)
    known = {"end_of_turn_confidence": confidence, "settled": settled}
    data = stt.SpeechData(language=LanguageCode("en"), text=text, metadata=known)
    return stt.SpeechEvent(type=kind, alternatives=[data])


class Thinker(ScriptedLLM):
    """Notes when it was asked what."""

    def __init__(self) -> None:
        super().__init__("All right.")
        self.questions: list[tuple[float, str]] = []

    def chat(self, *, chat_ctx: ChatContext, **others: Any) -> llm.LLMStream:
        said = chat_ctx.messages()[-1].text_content or ""
        self.questions.append((asyncio.get_running_loop().time(), said))
        return super().chat(chat_ctx=chat_ctx, **others)


class Call:
    """A caller who speaks when the test says so, and a service that tells what the test says."""

    def __init__(self, level: Level, greeting: str) -> None:
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        given = {"livekit": livekit, "assemblyai": key, "openai": key}
        chosen = load_settings(None, given=given | {"agent": {"eagerness": level}})
        self.stt, self.detector, self.llm = ScriptedSTT(), ScriptedVAD(), Thinker()
        self.loudspeaker = Loudspeaker()
        self.session: AgentSession[None] = AgentSession(
            stt=self.stt,
            vad=TappedVAD(self.detector),
            llm=self.llm,
            tts=ScriptedTTS(),
            turn_handling=turn_handling(chosen),
            aec_warmup_duration=None,
        )
        service = STT(api_key="key", options=chosen.session_options)
        self.turn_taking = TurnTaking(chosen, service, self.session)
        agents = CallAgents(self.session, self.turn_taking, CallTools(self.session), greeting)
        subscribe(self.session, service, self.turn_taking, agents)
        self.agent = Agent(instructions="")

    async def start(self) -> None:
        self.session.input.audio = SilentInput()
        self.session.output.audio = self.loudspeaker
        await self.session.start(self.agent, record=False)
        await self._until(playing=True)
        await self._until(playing=False)
        await asyncio.sleep(2)

    async def _until(self, *, playing: bool) -> None:
        await self.loudspeaker.changes.until(
            lambda: self.loudspeaker.playing is playing, timeout_seconds=30, what="the agent"
        )

    async def play(self, *steps: "float | stt.SpeechEvent") -> None:
        """Positive numbers are seconds of voice, negative ones of silence; events come between."""
        for step in steps:
            if isinstance(step, stt.SpeechEvent):
                self.stt.events.put_nowait(step)
            else:
                self.detector.voice = step > 0
                await asyncio.sleep(abs(step))

    @property
    def answered(self) -> list[str]:
        """What the caller said, as far as it was answered."""
        items = self.session.history.messages()
        return [
            before.text_content or ""
            for before, after in pairwise(items)
            if before.role == "user" and after.role == "assistant"
        ]


@asynccontextmanager
async def call(level: Level, greeting: str = HELP) -> AsyncIterator[Call]:
    running = Call(level, greeting)
    await running.start()
    try:
        yield running
    finally:
        await running.session.aclose()


@dataclass(frozen=True)
class Row:
    """What is said and told; what a reply was begun to, in order; how long before the turn's end
    the last of them was begun, in seconds."""

    name: str
    steps: tuple[Any, ...]
    begun: tuple[str, ...]
    lead: float
    level: Level = "some"
    greeting: str = HELP


START = stt.SpeechEvent(Type.START_OF_SPEECH, created_at=100.0, speech_start_time=99.6)
END = event(Type.END_OF_SPEECH)
ROWS = (
    Row(
        "the documented sequence: confidence low and the last word open until the turn's end",
        (
            *(0.4, START, event(OPEN, "hi", LOW), 0.3, event(OPEN, "hi there", LOW), 0.5),
            *(event(OPEN, "hi there how are", LOW), 0.2, event(OPEN, "hi there how are you", LOW)),
            *(-0.4, event(FINAL, "hi there how are you", 0.83, True), END),
        ),
        ("hi there how are you",),
        0.25,
    ),
    Row(
        "off: the same sequence is answered when it is over",
        (
            *(0.4, START, event(OPEN, "what time do you open", LOW)),
            *(-0.4, event(PAUSE, "what time do you open", HIGH, True)),
            *(event(FINAL, "what time do you open", HIGH, True), END),
        ),
        ("what time do you open",),
        0.0,
        level="off",
    ),
    Row(
        "the last word is cut: it is waited for",
        (
            *(0.5, START, event(OPEN, "make a reser", LOW), -0.04),
            *(event(OPEN, "make a reservation", LOW), -0.3),
            *(event(FINAL, "Make a reservation.", HIGH, True), END),
        ),
        ("make a reservation",),
        0.2,
    ),
    Row(
        "the caller goes on: the reply is thrown away and another one begun",
        (
            *(0.5, START, event(OPEN, "book a table", LOW), -0.7),
            *(0.5, event(OPEN, "book a table for two", LOW), -0.4),
            *(event(FINAL, "book a table for two", HIGH, True), END),
        ),
        ("book a table", "book a table for two"),
        0.25,
    ),
    Row(
        "a pause in mid-sentence begins none",
        (
            *(0.5, START, event(OPEN, "i would like to book a", LOW), -0.7),
            *(0.5, event(OPEN, "i would like to book a table", LOW), -0.4),
            *(event(FINAL, "i would like to book a table", HIGH, True), END),
        ),
        ("i would like to book a table",),
        0.25,
    ),
    Row(
        "yes, to a question",
        (
            *(0.3, START, event(OPEN, "yes", LOW), -0.3),
            *(event(FINAL, "Yes.", HIGH, True), END),
        ),
        ("yes",),
        0.15,
        greeting="Hello. Shall I put you through?",
    ),
    Row(
        "okay, and nothing was asked: that may go on",
        (
            *(0.3, START, event(OPEN, "okay", LOW), -0.3),
            *(event(FINAL, "Okay.", HIGH, True), END),
        ),
        ("Okay.",),
        0.0,
        greeting="Hello. I am listening.",
    ),
    Row(
        "a number that is dictated",
        (
            *(0.5, START, event(OPEN, "five five five", LOW), -0.9),
            *(0.5, event(OPEN, "five five five one two three", LOW), -0.9),
            *(event(FINAL, "five five five one two three", HIGH, True), END),
        ),
        ("five five five one two three",),
        -1.6,  # LiveKit waits, too
        level="full",
        greeting="Hello. What is your phone number?",
    ),
    Row(
        "a pause that the service tells first is not told twice",
        (
            *(0.5, START, event(PAUSE, "do you open at nine", HIGH, True), -0.3),
            *(event(PAUSE, "do you open at nine", HIGH, True),),
            *(event(FINAL, "Do you open at nine?", HIGH, True), END),
        ),
        ("do you open at nine",),
        0.25,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_reply_is_begun_to_words_that_may_be_all(row: Row) -> None:
    async with call(row.level, row.greeting) as line:
        await line.play(*row.steps)
        over_at = asyncio.get_running_loop().time()
        await line.play(-4.0)
        assert [said for _, said in line.llm.questions] == list(row.begun)
        assert over_at - line.llm.questions[-1][0] == pytest.approx(row.lead, abs=0.1)
        final = next(each for each in reversed(row.steps) if getattr(each, "type", 0) is FINAL)
        assert line.answered == [final.alternatives[0].text]


async def test_replies_that_are_thrown_away_are_counted() -> None:
    async with call("some") as line:
        await line.play(0.5, START, event(OPEN, "book a table", LOW), -0.7)
        await line.play(0.5, event(OPEN, "book a table for two", LOW), -0.4)
        await line.play(event(FINAL, "book a table for two", HIGH, True), END, -4.0)
        counts = line.turn_taking.thrown_away
        assert (counts.replies, counts.thrown_away) == (2, 1)
        counts.measured(metrics(prompt_tokens=50))
        counts.measured(metrics(prompt_tokens=60))
        assert counts.fields() == {
            "replies": 2,
            "thrown_away": 1,
            "prompt_tokens": 50 + 50 + 60,
            "wasted_prompt_tokens": 50,
        }


def metrics(*, prompt_tokens: int) -> LLMMetrics:
    return LLMMetrics(
        label="",
        request_id="",
        timestamp=0,
        duration=0,
        ttft=0,
        cancelled=False,
        completion_tokens=0,
        prompt_tokens=prompt_tokens,
        prompt_cached_tokens=0,
        total_tokens=prompt_tokens,
        tokens_per_second=0,
    )


async def test_what_is_said_over_the_agent_begins_none() -> None:
    async with call("full") as line:
        line.session.say("Our opening hours are nine to five from Monday to Friday.")
        await line.play(-1.0, 0.4, START, event(OPEN, "uh-huh", LOW), -1.0)
        await line.play(event(FINAL, "Uh-huh.", HIGH, True), END, -8.0)
        assert line.llm.questions == []


async def test_an_interruption_is_answered_early_when_it_has_the_floor() -> None:
    async with call("some") as line:
        line.session.say("Our opening hours are nine to five from Monday to Friday.")
        await line.play(-1.0, 0.6, START, event(OPEN, "wait what about sunday", LOW), -0.4)
        assert [said for _, said in line.llm.questions] == ["wait what about sunday"]
        await line.play(event(FINAL, "wait what about sunday", HIGH, True), END, -3.0)
        assert len(line.llm.questions) == 1
        assert line.answered == ["wait what about sunday"]


WORDS = st.sampled_from(["yes", "no i", "book a table", "book a table for", "two please"])
EVENTS = st.one_of(
    st.builds(event, st.sampled_from([OPEN, PAUSE, FINAL]), WORDS, st.none(), st.booleans()),
    st.sampled_from([START, END, event(Type.RECOGNITION_USAGE), event(FINAL)]),
)


@settings(deadline=None)
@given(
    level=st.sampled_from(["some", "full"]),
    steps=st.lists(st.one_of(EVENTS, st.floats(0, 1), st.just("voice"), st.just("quiet"))),
)
def test_no_event_is_lost_reordered_or_made_up_but_for_early_replies(
    level: Level, steps: list[Any]
) -> None:
    given_, told = asyncio.run(_watched(level, steps))
    own = [each for each in told if not any(each is one for one in given_)]
    assert {each.type for each in own} <= {PAUSE, OPEN}
    left = iter(told)
    for each in given_:  # in order; a preflight may have become an interim with the same words
        assert any(
            one is each or (each.type is PAUSE and one.alternatives == each.alternatives)
            for one in left
        )
    begun = 0
    for each in told:
        begun = 0 if each.type is Type.START_OF_SPEECH else begun
        begun += each.type is PAUSE and each in own
        assert begun <= REPLY_LIMITS[level].most_replies


async def _watched(
    level: Level, steps: list[Any]
) -> tuple[list[stt.SpeechEvent], list[stt.SpeechEvent]]:
    given_: list[stt.SpeechEvent] = []
    early = EarlyReplies(Eagerness(level, 0.4), sample_settings().files.phrasebook)

    async def events() -> AsyncIterator[stt.SpeechEvent]:
        for step in steps:
            if isinstance(step, stt.SpeechEvent):
                given_.append(step)
                yield step
                await asyncio.sleep(0)
            else:
                early.heard(_result(0.9 if step == "voice" else 0.0))

    return given_, [each async for each in early.watch(events())]


def _result(probability: float) -> vad.VADEvent:
    return vad.VADEvent(
        vad.VADEventType.INFERENCE_DONE,
        samples_index=0,
        timestamp=0,
        speech_duration=0,
        silence_duration=0,
        probability=probability,
    )
