"""A stream does what its config says, and tells LiveKit in the order that a session works with."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIError, stt

from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import AuthenticationError, NetworkError
from stt_assemblyai.livekit.failures import Failures
from stt_assemblyai.livekit.stream import SpeechStream
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience
from stt_assemblyai.stt import STT
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcriber import StreamConfig
from workbench.standins.scripted_service import ScriptedService, ScriptedSocket

pytestmark = pytest.mark.looptime(noop_cycles=0)

RATE = 8000
WORD = {"text": "hi", "start": 100, "end": 350, "confidence": 0.9, "word_is_final": True}
TURN = {"type": "Turn", "turn_order": 0, "transcript": "hi", "words": [WORD]}


def says(*frames: dict[str, Any]) -> Callable[[ScriptedSocket], None]:
    def on_open(socket: ScriptedSocket) -> None:
        socket.say({"type": "Begin", "id": "s", "expires_at": None})
        for frame in frames:
            socket.say(frame)

    return on_open


def refuse(socket: ScriptedSocket) -> None:
    raise NetworkError("nobody answers")


class Streams:
    """Streams of one STT over a scripted service."""

    def __init__(self, on_open: Callable[[ScriptedSocket], None], **patience: float) -> None:
        self.service = ScriptedService(on_open)
        self.owner = STT(api_key="k")
        self.failures = Failures(60)
        self._patience = Patience(**patience)  # type: ignore[arg-type]

    def stream(self, **options: Any) -> SpeechStream:
        config = StreamConfig(
            SessionOptions(sample_rate=RATE, **options),
            TurnChoices(wait_for_formatted_ms=0),
            Timing(),
        )
        return SpeechStream(
            self.owner,
            DEFAULT_API_CONNECT_OPTIONS,
            self.service.dial,
            config,
            self._patience,
            self.failures,
        )


async def heard(stream: SpeechStream) -> list[stt.SpeechEvent]:
    stream.end_input()
    return [event async for event in stream]


def kinds(events: list[stt.SpeechEvent]) -> list[str]:
    return [event.type.value for event in events]


def silence(milliseconds: int, *, rate: int = RATE, channels: int = 1) -> rtc.AudioFrame:
    samples = rate * milliseconds // 1000
    return rtc.AudioFrame(bytes(2 * samples * channels), rate, channels, samples)


async def test_a_turn_is_told_in_order_with_its_usage_at_the_end() -> None:
    streams = Streams(says(TURN, {**TURN, "end_of_turn": True, "turn_is_formatted": True}))
    async with streams.stream() as stream:
        stream.push_frame(silence(1000))
        await asyncio.sleep(0.5)
        assert (stream.session_id, stream.expires_at) == ("s", None)
        events = await heard(stream)
    told = [kind for kind in kinds(events) if kind != "recognition_usage"]
    assert told[0] == "start_of_speech"
    assert told[-2:] == ["final_transcript", "end_of_speech"]
    assert kinds(events)[-1] == "recognition_usage"


async def test_a_final_says_why_its_turn_ended_and_when_that_was_decided() -> None:
    end = {**TURN, "end_of_turn": True, "end_of_turn_confidence": 0.9}
    streams = Streams(says(TURN, end))
    async with streams.stream(speech_model="universal-streaming-english") as stream:
        stream.push_frame(silence(1000))
        await asyncio.sleep(0.5)
        now = time.time()
        events = await heard(stream)
    (final,) = [each for each in events if each.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    told = final.alternatives[0].metadata
    assert told is not None
    assert told["end_reason"] == "confidence"
    # Virtual time has passed since then, and the wall's clock has not moved.
    assert told["decided_at"] == pytest.approx(now, abs=1)


async def test_an_open_turn_that_ends_with_its_stream_was_decided_by_nobody() -> None:
    streams = Streams(says(TURN))
    async with streams.stream() as stream:
        stream.push_frame(silence(1000))
        await asyncio.sleep(0.5)
        events = await heard(stream)
    (final,) = [each for each in events if each.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    told = final.alternatives[0].metadata
    assert told is not None
    assert (told["end_reason"], told["decided_at"]) == ("reconnect", None)


async def test_audio_reaches_the_service_at_the_configs_rate_and_as_one_channel() -> None:
    streams = Streams(says())
    async with streams.stream() as stream:
        stream.push_frame(silence(1000, rate=48_000, channels=2))
        stream.push_frame(silence(1000))
        await asyncio.sleep(5)
        await heard(stream)
    (socket,) = streams.service.sockets
    assert len(socket.audio) == pytest.approx(2 * RATE * 2, rel=0.02)


async def test_a_flush_without_a_turn_is_answered_by_an_empty_final() -> None:
    streams = Streams(says())
    async with streams.stream() as stream:
        stream.push_frame(silence(100))
        stream.flush()
        await asyncio.sleep(3)
        events = await heard(stream)
    finals = [event for event in events if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    assert [event.alternatives[0].text for event in finals] == [""]


async def test_options_of_one_stream_change_alone() -> None:
    streams = Streams(says())
    async with streams.stream() as stream:
        await asyncio.sleep(0.1)
        stream.update_options(max_turn_silence=900, buffer_size_seconds=0.1)
        await asyncio.sleep(0.1)
        await heard(stream)
    (socket,) = streams.service.sockets
    assert {"type": "UpdateConfiguration", "max_turn_silence": 900} in socket.messages
    assert streams.owner.options.max_turn_silence != 900


async def test_a_fatal_error_of_an_earlier_stream_costs_no_connection() -> None:
    streams = Streams(says())
    streams.failures.fatal = AuthenticationError("wrong key")
    with pytest.raises(APIError, match="wrong key"):
        await heard(streams.stream())
    assert not streams.service.sockets


async def test_a_stream_that_gives_up_leaves_later_ones_one_attempt_until_one_opens() -> None:
    streams = Streams(refuse, total_seconds=5)
    with pytest.raises(APIError, match="nobody answers"):
        await heard(streams.stream())
    before = len(streams.service.dialled_at)
    assert before > 1
    with pytest.raises(APIError, match="nobody answers"):
        await heard(streams.stream())
    assert len(streams.service.dialled_at) == before + 1
    streams.service = ScriptedService(says())
    async with streams.stream() as stream:
        await asyncio.sleep(0.1)
        assert streams.failures.outage_since(asyncio.get_running_loop().time()) is None
        await heard(stream)
