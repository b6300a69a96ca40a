"""What a caller hears while an answer is long in coming. Time is the virtual clock's."""

import asyncio
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool, llm, tts, vad
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.reply.fillers import Fillers
from agent.call.session_events import subscribe
from agent.call.turns.turn_taking import TurnTaking
from config.load import load_settings
from stt_assemblyai.stt import STT

RATE = 24_000
FILLER_SECONDS = 2.0

pytestmark = pytest.mark.looptime


class FakeLLM(llm.LLM[Any]):
    """Answers after so many seconds; `steps` says with what: words, or the name of a tool."""

    def __init__(self, *steps: str, seconds: float) -> None:
        super().__init__()
        self.steps = list(steps)
        self.seconds = seconds

    def chat(self, *, chat_ctx: Any, tools: Any = None, conn_options: Any, **_: Any) -> Any:
        return Thought(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class Thought(llm.LLMStream):
    _llm: FakeLLM

    async def _run(self) -> None:
        await asyncio.sleep(self._llm.seconds)
        step = self._llm.steps.pop(0)
        tool = step.removesuffix("()")
        calls = (
            [llm.FunctionToolCall(name=tool, arguments="{}", call_id="1")] if tool != step else []
        )
        delta = llm.ChoiceDelta(role="assistant", content=None if calls else step, tool_calls=calls)
        self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


class Voice(tts.TTS[Any]):
    """Speaks a second, after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1
        )
        self.seconds = seconds

    def synthesize(self, text: str, *, conn_options: Any = None) -> tts.ChunkedStream:
        return Speech(tts=self, input_text=text, conn_options=conn_options)


class Speech(tts.ChunkedStream):
    _tts: Voice

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        await asyncio.sleep(self._tts.seconds)
        output_emitter.initialize(
            request_id="1", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(bytes(2 * RATE))


class Line(AudioOutput):
    """What the caller hears: when the agent began to speak, and when a filler did."""

    def __init__(self) -> None:
        super().__init__(
            label="line", capabilities=AudioOutputCapabilities(pause=False), sample_rate=RATE
        )
        self.heard: list[tuple[float, str]] = []
        self.is_broken = False
        self.filler_seconds = FILLER_SECONDS
        self._queued_seconds = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._queued_seconds:
            self.note("agent")
            self.on_playback_started(created_at=0)
        self._queued_seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        asyncio.get_running_loop().call_later(self._queued_seconds, self._finish, False)

    def clear_buffer(self) -> None:
        self._finish(True)

    def _finish(self, interrupted: bool) -> None:
        if self._queued_seconds:
            played, self._queued_seconds = self._queued_seconds, 0.0
            self.on_playback_finished(playback_position=played, interrupted=interrupted)

    def note(self, what: str) -> None:
        now = asyncio.get_running_loop().time()
        self.heard.append((round(now, 1), what))

    async def play_filler(self) -> None:
        if self.is_broken:
            raise ConnectionError
        self.note("filler")
        try:
            await asyncio.sleep(self.filler_seconds)
        finally:
            self.note("filler ends")


class Caller(vad.VAD):
    """Begins to speak when it is told."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.1))
        self.speaks = asyncio.Event()

    def stream(self) -> vad.VADStream:
        return Mouth(self)


class Mouth(vad.VADStream):
    _vad: Caller

    async def _main_task(self) -> None:
        await self._vad.speaks.wait()
        begun = vad.VADEvent(vad.VADEventType.START_OF_SPEECH, 0, 0.0, 0.0, 0.0)
        self._event_ch.send_nowait(begun)


class Call:
    """A session whose agent answers typed turns."""

    def __init__(self, model: FakeLLM, *, voice_seconds: float = 0.0) -> None:
        self.line = Line()
        self.llm = model
        self.caller = Caller()
        self.session: AgentSession[None] = AgentSession(
            vad=self.caller,
            llm=model,
            tts=Voice(voice_seconds),
            turn_handling={"turn_detection": "vad", "interruption": {"mode": "vad"}},
        )
        self.session.output.audio = self.line
        fillers = Fillers(self.session, delay_seconds=3, play=self.line.play_filler)
        self.told: list[float] = []
        """When fillers began, for the record."""
        fillers.on_filler = lambda: self.told.append(asyncio.get_running_loop().time())
        key = {"api_key": "key"}
        livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
        settings = load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})
        turn_taking = TurnTaking(settings, STT(api_key="key"), self.session)
        self.assistant = Waiter(instructions="")
        agents = CallAgents(
            self.session, turn_taking, CallTools(self.session), before_speech=fillers.make_way
        )
        subscribe(self.session, None, fillers, turn_taking, agents, agents.tools.limits)

    async def ask(self) -> list[tuple[float, str]]:
        """What is heard until the turn is over, on a clock that starts with the question."""
        began = asyncio.get_running_loop().time()
        before = len(self.line.heard)
        await self.session.generate_reply(user_input="Is there a table?")
        return [(round(when - began, 1), what) for when, what in self.line.heard[before:]]


class Waiter(Agent):
    """It takes five seconds to look."""

    @function_tool
    async def look(self) -> str:
        """Look for a table."""
        await asyncio.sleep(5)
        return "free"


async def started(model: FakeLLM, **others: Any) -> Call:
    call = Call(model, **others)
    await call.session.start(call.assistant, record=False)
    return call


FILLER = [(3, "filler"), (5, "filler ends")]


@pytest.mark.parametrize(
    ("model", "voice_seconds", "heard"),
    [
        (FakeLLM("Yes.", seconds=8), 0, [*FILLER, (8, "agent")]),
        (FakeLLM("Yes.", seconds=0), 8, [*FILLER, (8, "agent")]),
        (FakeLLM("look()", "Yes.", seconds=1), 0, [*FILLER, (7, "agent")]),
    ],
    ids=["the model", "the voice", "a tool"],
)
async def test_a_filler_is_heard_when_one_of_them_is_slow_and_then_the_answer(
    model: FakeLLM, voice_seconds: float, heard: Any
) -> None:
    call = await started(model, voice_seconds=voice_seconds)
    assert await call.ask() == heard
    await call.session.aclose()


async def test_no_filler_is_heard_when_the_answer_comes_in_time() -> None:
    call = await started(FakeLLM("Yes.", seconds=2.9))
    assert await call.ask() == [(2.9, "agent")]
    await call.session.aclose()


async def test_an_answer_waits_no_longer_than_until_the_filler_ends() -> None:
    call = await started(FakeLLM("Yes.", seconds=3.5))
    assert await call.ask() == [*FILLER, (5, "agent")]
    await call.session.aclose()


async def test_a_filler_without_an_end_delays_an_answer_by_three_seconds() -> None:
    call = await started(FakeLLM("Yes.", seconds=8))
    call.line.filler_seconds = 60
    assert await call.ask() == [(3, "filler"), (11, "filler ends"), (11, "agent")]
    await call.session.aclose()


async def test_a_filler_is_heard_once_in_a_turn_and_again_in_the_next() -> None:
    call = await started(FakeLLM("Let us see.", "look()", "Yes.", "Yes.", seconds=60))
    assert await call.ask() == [*FILLER, (60, "agent")]
    assert await call.ask() == [*FILLER, (125, "agent")]
    begun = [when for when, what in call.line.heard if what == "filler"]
    assert call.told == pytest.approx(begun, abs=0.1)
    await call.session.aclose()


async def test_a_filler_is_heard_while_a_sentence_of_the_agent_waits_for_the_voice() -> None:
    call = await started(FakeLLM(seconds=0), voice_seconds=8)
    await call.session.say("There is a fault.")
    assert call.line.heard == [*FILLER, (8, "agent")]
    await call.session.aclose()


async def test_a_turn_has_its_filler_if_that_of_the_turn_before_still_plays() -> None:
    call = await started(FakeLLM("", "Yes.", seconds=4))
    assert await call.ask() == [(3, "filler")]
    call.llm.seconds = 60
    assert await call.ask() == [
        (1, "filler ends"),
        (4, "filler"),
        (6, "filler ends"),
        (60, "agent"),
    ]
    await call.session.aclose()


async def test_a_filler_is_no_part_of_the_conversation() -> None:
    call = await started(FakeLLM("Yes.", "No.", seconds=8))
    await call.ask()
    await call.ask()
    said = [m.text_content for m in call.session.history.messages()]
    assert said == ["Is there a table?", "Yes.", "Is there a table?", "No."]
    await call.session.aclose()


async def test_a_filler_falls_silent_when_the_caller_speaks() -> None:
    call = await started(FakeLLM("Yes.", seconds=60))
    turn = asyncio.create_task(call.ask())
    await asyncio.sleep(4)
    call.caller.speaks.set()
    await asyncio.sleep(10)
    assert call.line.heard == [(3, "filler"), (4, "filler ends")]
    await call.session.aclose()
    await turn


async def test_a_filler_that_cannot_be_played_delays_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = await started(FakeLLM("Yes.", seconds=8))
    call.line.is_broken = True
    assert await call.ask() == [(8, "agent")]
    assert "the filler could not be played" in caplog.text
    await call.session.aclose()


async def test_no_filler_outlives_its_call() -> None:
    call = await started(FakeLLM("Yes.", seconds=60))
    turn = asyncio.create_task(call.ask())
    await asyncio.sleep(4)
    await call.session.aclose()
    await turn
    await asyncio.sleep(FILLER_SECONDS)
    assert call.line.heard == [(3, "filler"), (4, "filler ends")]
