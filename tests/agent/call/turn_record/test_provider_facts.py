"""What providers do in a call: single events. Whole conversations are in test_recorder."""

import asyncio

import pytest
from livekit.agents.metrics import LLMMetrics, STTMetrics, TTSMetrics

from agent.call.turn_record.recorder import CallRecorder
from agent.records.schema import Attempt, End, Line, ProviderFailed, SttSession, Usage
from stt_assemblyai.errors import NetworkError
from stt_assemblyai.events import Interrupted, Opened, SessionUsage


async def test_what_models_use_is_counted() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    tokens = {"prompt_tokens": 100, "prompt_cached_tokens": 60, "completion_tokens": 7}
    recorder.on_model_metrics(LLMMetrics.model_construct(**tokens))
    recorder.on_model_metrics(STTMetrics.model_construct())
    recorder.on_voice_metrics(TTSMetrics.model_construct(characters_count=9, audio_duration=0.5))
    recorder.on_voice_metrics(STTMetrics.model_construct())
    recorder.on_billed(SessionUsage("s", "roll over", 1.5, False, 1.25, 0.25))
    recorder.end("caller_left")
    billed, end = told[0], told[-1]
    assert isinstance(billed, SttSession)
    assert (billed.reason, billed.billed_seconds, billed.audio_resent_seconds) == (
        "roll over",
        1.5,
        0.25,
    )
    assert isinstance(end, End)
    assert end.usage == Usage(
        stt_billed_seconds=1.5,
        prompt_tokens=100,
        cached_tokens=60,
        completion_tokens=7,
        tts_characters=9,
        tts_audio_for_ms=500,
    )


async def test_failures_are_told_at_once() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.model_attempted(Attempt(provider="a/b", took_for_ms=1, error="timeout"))
    recorder.voice_attempted(Attempt(provider="a/b", took_for_ms=1, error="empty"))
    recorder.voice_attempted(Attempt(provider="a/b", took_for_ms=1))
    recorder.on_recogniser_interrupted(Interrupted(NetworkError("gone"), 1.5, 0))
    failed = [each for each in told if isinstance(each, ProviderFailed)]
    assert [(each.provider, each.error, each.wait_for_ms) for each in failed] == [
        ("llm", "timeout", None),
        ("tts", "empty", None),
        ("stt", "NetworkError", 1500),
    ]


@pytest.mark.looptime
async def test_a_session_that_closes_after_the_record_is_counted_with_its_time_so_far() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    recorder.begin()
    recorder.on_recogniser_opened(Opened("first", None, ()))
    await asyncio.sleep(10)
    recorder.on_recogniser_opened(Opened("second", None, ()))
    recorder.on_billed(SessionUsage("first", "start", 10.5, False, 10.0, 0.0))
    await asyncio.sleep(20)
    recorder.end("caller_left")
    recorder.on_billed(SessionUsage("second", "roll over", 21.0, False, 20.0, 0.0))
    end = told[-1]
    assert isinstance(end, End)
    assert end.usage
    assert end.usage.stt_billed_seconds == pytest.approx(30.5, abs=0.1)
