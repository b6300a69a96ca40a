"""A running session with a second opinion: scripted ears, voice detector and end-of-turn detector.
On a virtual clock."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, ChatContext, ChatMessage, LanguageCode, stt, vad

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools
from agent.call.session_events import subscribe
from agent.call.turns.end_of_turn.detector import SAMPLE_RATE, Samples
from agent.call.turns.endpointing import EARLY_SECONDS, early_seconds, turn_handling
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from config.load import load_settings
from config.settings import Settings
from stt_assemblyai.models import Preset
from stt_assemblyai.stt import STT
from workbench.standins.scripted import Loudspeaker, ScriptedSTT
from workbench.standins.silent_input import SilentInput

pytestmark = pytest.mark.looptime

FRAME = 512
FRAME_SECONDS = FRAME / SAMPLE_RATE
Type = stt.SpeechEventType


def chosen(preset: Preset = "seed") -> Settings:
    key = {"api_key": "key"}
    return load_settings(
        None,
        given={
            "livekit": {"url": "ws://127.0.0.1", "api_secret": "secret"} | key,
            "assemblyai": key,
            "openai": key,
            "agent": {"turn_second_opinion": "livekit", "turn_preset": preset},
        },
    )


class Opinionated:
    """Thinks what the test has it think, 50 ms after it was asked."""

    window_seconds = 1.2

    def __init__(self) -> None:
        self.sure = True

    def threshold(self, language: str) -> float:
        assert language in ("", "en")
        return 0.5

    async def probability(self, samples: Samples) -> float:
        await asyncio.sleep(0.05)
        return float(self.sure)


class Voice(vad.VAD):
    """Hears a voice whenever the test says so, with the sound of it."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=FRAME_SECONDS))
        self.is_there = False

    def stream(self) -> vad.VADStream:
        return _Hearing(self)


class _Hearing(vad.VADStream):
    async def _main_task(self) -> None:
        voice = self._vad
        assert isinstance(voice, Voice)
        frame = rtc.AudioFrame(np.zeros(FRAME, np.int16).tobytes(), SAMPLE_RATE, 1, FRAME)
        while True:
            await asyncio.sleep(FRAME_SECONDS)
            self._event_ch.send_nowait(
                vad.VADEvent(
                    vad.VADEventType.INFERENCE_DONE,
                    samples_index=0,
                    timestamp=0.0,
                    speech_duration=0.0,
                    silence_duration=0.0,
                    probability=0.9 if voice.is_there else 0.1,
                    frames=[frame],
                )
            )


class Clerk(Agent):
    """Notes each turn, and says nothing."""

    def __init__(self) -> None:
        super().__init__(instructions="")
        self.turns: list[tuple[float, str]] = []

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        self.turns.append((asyncio.get_running_loop().time(), new_message.text_content or ""))


class Call:
    """A caller without an agent that answers."""

    def __init__(self) -> None:
        settings = chosen()
        self.stt, self.voice, self.detector = ScriptedSTT(), Voice(), Opinionated()
        self.session: AgentSession[None] = AgentSession(
            stt=self.stt, vad=TappedVAD(self.voice), turn_handling=turn_handling(settings)
        )
        self.service = STT(api_key="key", options=settings.session_options)
        self.service.force_endpoint = self._force  # type: ignore[method-assign]  # nobody listens
        self.forced_at: list[float] = []
        self.turn_taking = TurnTaking(settings, self.service, self.session, self.detector)
        agents = CallAgents(self.session, self.turn_taking, CallTools(self.session))
        subscribe(self.session, self.service, self.turn_taking, agents)
        self.clerk = Clerk()
        self.quiet_at = 0.0

    def _force(self) -> None:
        self.forced_at.append(asyncio.get_running_loop().time())

    async def say(self, text: str) -> None:
        """A second of voice; its words are there when it falls quiet."""
        self.voice.is_there = True
        await asyncio.sleep(1.0)
        self.hear(Type.START_OF_SPEECH)
        self.hear(Type.FINAL_TRANSCRIPT, text)
        self.voice.is_there = False
        self.quiet_at = asyncio.get_running_loop().time()

    def hear(self, kind: stt.SpeechEventType, text: str = "") -> None:
        words = [stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
        self.stt.events.put_nowait(stt.SpeechEvent(type=kind, alternatives=words))

    async def end(self, after_seconds: float = 0.4) -> None:
        """AssemblyAI's end of turn, so long after the voice."""
        await asyncio.sleep(after_seconds)
        self.hear(Type.END_OF_SPEECH)

    @property
    def taken(self) -> list[tuple[float, str]]:
        """Each turn, and how long after the last voice it was taken."""
        return [(round(at - self.quiet_at, 2), text) for at, text in self.clerk.turns]


@asynccontextmanager
async def call() -> AsyncIterator[Call]:
    running = Call()
    running.session.input.audio = SilentInput()
    running.session.output.audio = Loudspeaker()
    await running.session.start(running.clerk, record=False)
    await asyncio.sleep(1)
    try:
        yield running
    finally:
        await running.session.aclose()


async def test_a_turn_that_sounds_over_is_taken_when_assemblyai_says_so() -> None:
    async with call() as line:
        await line.say("I would like a table.")
        await line.end()
        await asyncio.sleep(3)
        assert line.taken == [(pytest.approx(0.4, abs=0.05), "I would like a table.")]


async def test_an_end_in_mid_sentence_waits_for_the_caller_and_both_parts_are_one_turn() -> None:
    async with call() as line:
        line.detector.sure = False
        await line.say("I would like to")
        await line.end()
        await asyncio.sleep(0.5)
        assert line.taken == []
        line.detector.sure = True
        await line.say("book a table.")
        await line.end()
        await asyncio.sleep(3)
        assert [text for _, text in line.taken] == ["I would like to book a table."]


async def test_who_does_not_go_on_is_answered_after_the_hold() -> None:
    async with call() as line:
        line.detector.sure = False
        await line.say("I would like to")
        await line.end()
        await asyncio.sleep(5)
        assert line.taken == [(pytest.approx(1.5, abs=0.05), "I would like to")]


async def test_the_end_is_asked_for_when_the_detector_is_sure_first() -> None:
    async with call() as line:
        await line.say("The second one.")
        await asyncio.sleep(1)
        assert [at - line.quiet_at for at in line.forced_at] == [
            pytest.approx(EARLY_SECONDS, abs=0.05)
        ]


async def test_while_something_is_dictated_it_is_not_asked_for_sooner_than_a_pause_may_last() -> (
    None
):
    async with call() as line:
        with line.turn_taking.dictation():
            await line.say("four five six")
            await asyncio.sleep(1.5)
            assert line.forced_at == []


async def test_what_is_held_back_when_the_ears_fail_is_let_through() -> None:
    async def failing() -> AsyncGenerator[stt.SpeechEvent]:
        yield stt.SpeechEvent(type=Type.START_OF_SPEECH)
        words = [stt.SpeechData(language=LanguageCode("en"), text="I would like to")]
        yield stt.SpeechEvent(type=Type.FINAL_TRANSCRIPT, alternatives=words)
        yield stt.SpeechEvent(type=Type.END_OF_SPEECH)
        await asyncio.sleep(0.1)
        raise ConnectionError

    async with call() as line:
        line.detector.sure = False
        await line.say("")
        await asyncio.sleep(0.3)
        sifted = line.turn_taking.sift(failing())
        heard = [(await anext(sifted)).type for _ in range(3)]
        with pytest.raises(ConnectionError):
            await anext(sifted)
        assert heard == [Type.START_OF_SPEECH, Type.FINAL_TRANSCRIPT, Type.END_OF_SPEECH]


async def test_a_caller_who_hangs_up_while_an_end_is_held_back_loses_no_word() -> None:
    async with call() as line:
        line.detector.sure = False
        await line.say("I would like to")
        await line.end()
        await asyncio.sleep(0.1)
    said = [item.text_content for item in line.session.history.messages() if item.role == "user"]
    assert said == ["I would like to"]


async def test_the_log_says_how_often_it_mattered(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        async with call() as line:
            line.detector.sure = False
            await line.say("I would like to")
            await line.end()
            await asyncio.sleep(3)
    [record] = [each for each in caplog.records if each.getMessage() == "second opinion"]
    counts = {name: record.__dict__[name] for name in ("ends_held_back", "went_on")}
    assert counts == {"ends_held_back": 1, "went_on": 0}


@pytest.mark.parametrize(
    ("preset", "seconds"),
    [("seed", 0.4), ("aggressive", 0.4), ("balanced", 0.4), ("conservative", 0.8)],
)
def test_no_end_is_asked_for_sooner_than_the_preset_would_end_it(
    preset: Preset, seconds: float
) -> None:
    assert early_seconds(chosen(preset), preset) == seconds


async def test_without_a_second_opinion_there_is_none() -> None:
    session: AgentSession[None] = AgentSession()
    assert TurnTaking(chosen(), STT(api_key="key"), session).opinions is None
