"""Whatever a model or a voice does with one text costs that text, and what was heard is kept."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    APIError,
    ErrorEvent,
    llm,
    tts,
)
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities, TextOutput
from livekit.plugins import silero

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.models.errors import ContentRefusedError
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.providers import Clients
from agent.call.reply.broken_answers import MOST_REFUSED, BrokenAnswers
from agent.call.reply.greeting_prefetch import GreetingPrefetch
from agent.call.session import SessionParts, build_parts, build_session
from agent.call.session_events import subscribe
from agent.call.turns.turn_taking import TurnTaking
from config.load import load_settings

RATE = 24_000
REFUSAL = "I cannot talk about that."
CUT_OFF = CannedPrompt.CUT_OFF.recorded().text
FILTERED = ContentRefusedError("The answer was filtered.", has_begun=False)
NO_TEXT = ContentRefusedError("No sound for this text.", has_begun=False)

Step = list[str | APIError]


class FakeLLM(llm.LLM[Any]):
    """Answers with these pieces of text, the last of which may be an error."""

    def __init__(self, *steps: Step) -> None:
        super().__init__()
        self.steps = list(steps)
        self.asked: list[list[str]] = []

    def chat(self, *, chat_ctx: Any, tools: Any = None, conn_options: Any, **_: Any) -> Any:
        self.asked.append([item.text_content for item in chat_ctx.items if item.type == "message"])
        return Thought(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class Thought(llm.LLMStream):
    _llm: FakeLLM

    async def _run(self) -> None:
        for part in self._llm.steps.pop(0):
            if isinstance(part, APIError):
                raise part
            delta = llm.ChoiceDelta(role="assistant", content=part)
            self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


class Voice(tts.TTS[Any]):
    """Speaks a second for each text, but for those with one of `refused` in them."""

    def __init__(self, **refused: APIError) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=RATE, num_channels=1)
        self.refused = refused
        self.texts: list[str] = []

    def synthesize(self, text: str, *, conn_options: Any = None) -> tts.ChunkedStream:
        self.texts.append(text)
        return Speech(tts=self, input_text=text, conn_options=conn_options)


class Speech(tts.ChunkedStream):
    _tts: Voice

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        for word, error in self._tts.refused.items():
            if word in self.input_text:
                raise error
        output_emitter.initialize(
            request_id="1", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(bytes(2 * RATE))


class Line(AudioOutput):
    """What the caller hears."""

    def __init__(self) -> None:
        capabilities = AudioOutputCapabilities(pause=False)
        super().__init__(label="line", capabilities=capabilities, sample_rate=RATE)
        self._queued_seconds = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._queued_seconds:
            self.on_playback_started(created_at=0)
        self._queued_seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        asyncio.get_running_loop().call_later(self._queued_seconds, self._finish)

    def clear_buffer(self) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._queued_seconds:
            played, self._queued_seconds = self._queued_seconds, 0.0
            self.on_playback_finished(playback_position=played, interrupted=False)


class Screen(TextOutput):
    """What the caller reads."""

    def __init__(self) -> None:
        super().__init__(label="screen", next_in_chain=None)
        self.text = ""

    async def capture_text(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        self.text += "\n"


class Call:
    """A call's session and assistant, without a room."""

    def __init__(self, parts: SessionParts, model: FakeLLM, voice: Voice, greeting: str) -> None:
        self.llm, self.voice, self.screen = model, voice, Screen()
        scripted: dict[str, Any] = {"llm": model, "tts": voice, "stt": None}
        parts = dataclasses.replace(parts, **scripted)
        self.session: AgentSession[None] = build_session(parts)
        self.session.output.audio = Line()
        self.session.output.transcription = self.screen
        self.is_over = False
        self._broken_answers = BrokenAnswers(self.session, REFUSAL, "en")
        turn_taking = TurnTaking(parts.settings, parts.assemblyai, self.session)
        agents = CallAgents(
            self.session,
            turn_taking,
            CallTools(self.session),
            greeting,
            GreetingPrefetch(self.session, greeting),
        )
        subscribe(self.session, parts.assemblyai, self._broken_answers, turn_taking, agents)
        self.session.on("error", self._on_error)
        self.assistant = Agent(instructions="Be kind.")

    def _on_error(self, event: ErrorEvent) -> None:
        recoverable = event.error.recoverable
        self.is_over = not (recoverable or self._broken_answers.forgives(event.error))

    @property
    def kept(self) -> list[str | None]:
        """What the agent has said, by the history."""
        said = [item for item in self.session.history.items if item.type == "message"]
        return [item.text_content for item in said if item.role == "assistant"]

    async def ask(self, question: str = "Well?") -> list[str | None]:
        """What the agent is believed to have said then."""
        before = len(self.kept)
        await self.session.generate_reply(user_input=question)
        await asyncio.sleep(20)
        return self.kept[before:]


@pytest.fixture(scope="module")
def detector() -> silero.VAD:
    loaded = silero.VAD.load()
    assert isinstance(loaded, silero.VAD)
    return loaded


@asynccontextmanager
async def call(
    detector: silero.VAD, *steps: Step, voice: Voice | None = None, greeting: str = "Hello."
) -> AsyncIterator[Call]:
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
    settings = load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key})
    clients = Clients.of(settings.openai)
    parts = build_parts(settings, clients, detector)
    found = Call(parts, FakeLLM(*steps), voice or Voice(), greeting)
    await found.session.start(found.assistant, record=False)
    await found.session.wait_for_idle()
    yield found
    await found.session.aclose()
    await clients.aclose()


pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("greeting", ["Hello 👋, this is Alex.", "**Hello**, this is Alex.", "Hi."])
async def test_a_greeting_is_synthesised_once_whatever_is_in_it(
    detector: silero.VAD, greeting: str
) -> None:
    async with call(detector, greeting=greeting) as held:
        assert len(held.voice.texts) == 1
        assert held.kept == held.voice.texts


async def test_what_is_heard_is_what_is_shown_kept_and_sent_to_the_model(
    detector: silero.VAD,
) -> None:
    written: Step = ["<think>Hm.</think>", "**It** is", " ten 👋", ", see https://x.com/a_b."]
    said = "It is ten , see x.com."
    async with call(detector, written, ["Yes."]) as held:
        assert await held.ask() == [said]
        assert held.voice.texts[1:] == [said]
        assert said in held.screen.text.splitlines()
        await held.ask()
        assert held.llm.asked[-1][-3:] == ["Well?", said, "Well?"]


@pytest.mark.parametrize("answer", ["👋", "---", "***", "...", " \n", "<think>Hm.</think>", "```"])
async def test_an_answer_of_which_nothing_can_be_spoken_is_no_answer(
    detector: silero.VAD, answer: str
) -> None:
    async with call(detector, [answer], ["Yes."]) as held:
        assert await held.ask() == [CUT_OFF]
        assert await held.ask() == ["Yes."]
        assert not held.is_over


async def test_a_sentence_that_the_voice_refuses_is_left_out(detector: silero.VAD) -> None:
    answer = ["That is certainly right. ", "This one is somehow bad. ", "And here it goes on."]
    async with call(detector, list(answer), ["Yes."], voice=Voice(bad=NO_TEXT)) as held:
        assert await held.ask() == [answer[0] + answer[2]]
        assert held.voice.texts[1:] == [piece.strip() for piece in answer]
        assert await held.ask() == ["Yes."]
        assert not held.is_over


async def test_an_answer_that_the_voice_refuses_is_not_kept_and_the_caller_is_told(
    detector: silero.VAD,
) -> None:
    async with call(detector, ["This is bad."], ["Yes."], voice=Voice(bad=NO_TEXT)) as held:
        assert await held.ask() == [CUT_OFF]
        assert await held.ask() == ["Yes."]
        assert not held.is_over


async def test_a_greeting_that_the_voice_refuses_leaves_no_silence(detector: silero.VAD) -> None:
    voice = Voice(bad=NO_TEXT)
    async with call(detector, ["Yes."], voice=voice, greeting="This is bad.") as held:
        await asyncio.sleep(20)
        assert held.kept == [CUT_OFF]
        assert await held.ask() == ["Yes."]
        assert not held.is_over


@pytest.mark.parametrize(("last_words", "kept"), [(False, [CUT_OFF]), (True, [])])
async def test_a_sentence_of_the_agent_that_the_voice_refuses_leaves_no_silence(
    detector: silero.VAD, last_words: bool, kept: list[str]
) -> None:
    async with call(detector, ["Yes."], voice=Voice(bad=NO_TEXT)) as held:
        held.session.say("Are you bad?", allow_interruptions=not last_words)
        await asyncio.sleep(20)
        assert held.kept[1:] == kept
        assert not held.is_over


async def test_a_voice_that_refuses_all_has_failed(detector: silero.VAD) -> None:
    answers: list[Step] = [["This is bad."]] * 3
    async with call(detector, *answers, voice=Voice(bad=NO_TEXT)) as held:
        for is_over in (False, False, True):
            await held.ask()
            assert held.is_over is is_over


@pytest.mark.parametrize("said_before", [[], ["Well, I would say "]])
async def test_a_question_that_the_model_refuses_is_not_sent_again_and_the_call_goes_on(
    detector: silero.VAD, said_before: list[str]
) -> None:
    async with call(detector, ["Yes."], [*said_before, FILTERED], ["Sure."]) as held:
        await held.ask("Good?")
        heard = await held.ask("Bad?")
        assert heard == [*said_before, REFUSAL]
        assert await held.ask("Better?") == ["Sure."]
        assert held.llm.asked[-1][-1] == "Better?"
        assert "Good?" in held.llm.asked[-1]
        assert "Bad?" not in held.llm.asked[-1]
        assert not held.is_over


async def test_a_model_that_refuses_twice_in_a_row_is_sent_nothing_of_what_was_said_before(
    detector: silero.VAD,
) -> None:
    async with call(detector, ["Yes."], [FILTERED], [FILTERED], ["Sure."]) as held:
        for question in ("One?", "Two?", "Three?", "Four?"):
            await held.ask(question)
        assert held.llm.asked[-1] == ["Be kind.", REFUSAL, "Four?"]


async def test_a_model_that_refuses_everything_has_failed(detector: silero.VAD) -> None:
    async with call(detector, *[[FILTERED]] * (MOST_REFUSED + 1)) as held:
        for _ in range(MOST_REFUSED):
            assert await held.ask() == [REFUSAL]
            assert not held.is_over
        assert await held.ask() == []
        assert held.is_over
