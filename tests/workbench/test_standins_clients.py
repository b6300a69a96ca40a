"""Clients that were written elsewhere get along with the AssemblyAI stand-in."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import aiohttp
import numpy as np
import pytest
from assemblyai.streaming.v3 import (
    AsyncStreamingClient,
    BeginEvent,
    SpeechModel,
    StreamingClientOptions,
    StreamingError,
    StreamingEvents,
    StreamingParameters,
    TerminationEvent,
    TurnEvent,
)
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import assemblyai as livekit_assemblyai

from workbench.standins.assemblyai_v3.heard import Engines
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn
from workbench.standins.engines.activity import ActivityDetector
from workbench.standins.engines.recognizer import Recognizer
from workbench.standins.engines.synthesizer import Synthesizer

QUICK = Knobs(throttle=None, begin_delay_ms=0, format_twin_delay_ms=0)
PATIENCE_SECONDS = 20
FRAME = bytes(1600)
SCRIPT = (
    ScriptedWord("Two", 100, 300, 0.1),
    ScriptedWord("tickets,", 300, 700, 0.1),
    ScriptedWord("please.", 700, 1100, 0.9),
)


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    """ "Could you tell me the weather in Paris?" at 16 kHz, and two seconds of silence."""
    speech = Synthesizer.load().speak("Could you tell me the weather in Paris?")
    count = speech.size * 2 // 3
    speech = np.interp(np.arange(count) * 1.5, np.arange(speech.size), speech)
    return (np.concatenate([speech, np.zeros(32_000)]) * 32767).astype(np.int16)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.fixture
def hearing(recognizer: Recognizer) -> AssemblyAIStandIn:
    def engines() -> Engines:
        return Engines(recognizer.decode, ActivityDetector.load().probability)

    return AssemblyAIStandIn(engines=engines, knobs=QUICK)


async def frames(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield FRAME


async def official(
    stand_in: AssemblyAIStandIn, audio: AsyncIterator[bytes], **parameters: object
) -> list[object]:
    """All events of one session of AssemblyAI's own SDK."""
    events: list[object] = []
    ended = asyncio.Event()

    def note(_: object, event: object) -> None:
        events.append(event)
        if isinstance(event, TerminationEvent | StreamingError):
            ended.set()

    client = AsyncStreamingClient(
        StreamingClientOptions(
            api_key=str(parameters.pop("api_key", LOCAL_KEY)), api_host=stand_in.url
        )
    )
    for kind in StreamingEvents:
        client.on(kind, note)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await client.connect(StreamingParameters(sample_rate=16_000, **parameters))
        await client.stream(audio)
        await client.disconnect(terminate=True)
        await ended.wait()
    return events


async def test_assemblyais_own_sdk_hears_a_script_exactly() -> None:
    async with AssemblyAIStandIn(scripts=[SCRIPT], knobs=QUICK) as stand_in:
        events = await official(
            stand_in,
            frames(60),
            speech_model=SpeechModel.universal_streaming_english,
            format_turns=True,
        )
    assert isinstance(events[0], BeginEvent)
    turns = [event for event in events if isinstance(event, TurnEvent)]
    assert [turn.transcript for turn in turns if turn.end_of_turn] == [
        "two tickets please",
        "Two tickets, please.",
    ]
    assert isinstance(events[-1], TerminationEvent)
    assert events[-1].audio_duration_seconds == 3


async def test_assemblyais_own_sdk_is_told_of_a_bad_key() -> None:
    async with AssemblyAIStandIn() as stand_in:
        events = await official(
            stand_in,
            frames(0),
            api_key="wrong",
            speech_model=SpeechModel.universal_streaming_english,
        )
    assert [(event.code, str(event)) for event in events if isinstance(event, StreamingError)] == [
        (1008, "Unauthorized Connection: Invalid API key")
    ]


async def test_the_livekit_plugin_hears_a_script_exactly() -> None:
    async with (
        AssemblyAIStandIn(scripts=[SCRIPT], knobs=QUICK) as stand_in,
        aiohttp.ClientSession() as http,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        plugin = livekit_assemblyai.STT(
            api_key=LOCAL_KEY,
            model="universal-3-6-pro",
            mode="balanced",
            http_session=http,
            base_url=stand_in.url,
        )
        assert await finals(plugin, [np.zeros(800, np.int16)] * 60) == ["Two tickets, please."]


async def finals(plugin: stt.STT, audio: Sequence[np.ndarray]) -> list[str]:
    """The final transcripts of these samples at 16 kHz."""
    stream = plugin.stream()
    for samples in audio:
        stream.push_frame(rtc.AudioFrame(samples.tobytes(), 16_000, 1, samples.size))
    stream.end_input()
    texts = [
        event.alternatives[0].text
        async for event in stream
        if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
    ]
    await stream.aclose()
    return texts


async def test_assemblyais_own_sdk_is_heard(hearing: AssemblyAIStandIn, spoken: np.ndarray) -> None:
    async def audio() -> AsyncIterator[bytes]:
        for start in range(0, spoken.size, 800):
            yield spoken[start : start + 800].tobytes()

    async with hearing:
        model = SpeechModel.universal_streaming_english
        events = await official(hearing, audio(), speech_model=model, format_turns=True)
    ends = [event for event in events if isinstance(event, TurnEvent) and event.end_of_turn]
    assert [end.transcript for end in ends] == [
        "could you tell me the weather in paris",
        "Could you tell me the weather in Paris?",
    ]


@pytest.mark.parametrize("model", ["universal-streaming-english", "universal-3-6-pro"])
async def test_the_livekit_plugin_is_heard(
    hearing: AssemblyAIStandIn, spoken: np.ndarray, model: str
) -> None:
    async with hearing, aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE_SECONDS):
        plugin = livekit_assemblyai.STT(
            api_key=LOCAL_KEY,
            model=model,
            format_turns=True,
            max_turn_silence=1280,
            http_session=http,
            base_url=hearing.url,
        )
        texts = await finals(plugin, np.array_split(spoken, spoken.size // 800))
    assert texts == ["Could you tell me the weather in Paris?"]
