"""A voice that misbehaves: what is heard of it, and how often it is asked. Time is virtual."""

from typing import Any

import numpy as np
import pytest
from livekit import rtc
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.call.models.errors import (
    BrokenOffError,
    ContentRefusedError,
    RefusedError,
    UnavailableError,
)
from workbench.bench.misbehaviour.network import End, Reply
from workbench.bench.misbehaviour.replies import (
    PING,
    failure,
    pcm,
    sound,
    speech_events,
    stream,
    wav,
)

pytestmark = pytest.mark.looptime

SECONDS = 0.8
TONE = pcm(SECONDS)
GOOD = sound(TONE)
HICCUPS = {
    "429": failure(429),
    "500": failure(500),
    "503": failure(503),
    "refused connection": Reply(refuses_connection=True),
    "first event": stream({"type": "error", "error": {"message": "Overloaded"}}),
    "JSON error behind 200": sound(b'{"error": {"message": "Overloaded"}}', "application/json"),
    "a page": sound(b"<html><body>Log in to the network</body></html>", "text/html"),
    "a page that is called sound": sound(b"<!DOCTYPE html><html></html>", "audio/pcm"),
    "comments": stream(*[PING] * 60, step_seconds=1),
    "empty deltas": stream(*[{"type": "speech.audio.delta", "audio": ""}] * 60, step_seconds=1),
    "no headers": Reply(delay_seconds=1e6),
    "no body": Reply(content_type="audio/pcm", end=End.HANGS),
    "empty": Reply(content_type="audio/pcm"),
    "only the end": speech_events(b""),
    "8 bit": sound(wav(0.2).replace(b"\x10\x00data", b"\x08\x00data"), "audio/wav"),
}


def hertz(frame: rtc.AudioFrame) -> float:
    """The tone that is loudest."""
    samples = np.frombuffer(frame.data, np.int16)
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum)) * frame.sample_rate / len(samples)


@pytest.mark.parametrize("hiccup", HICCUPS.values(), ids=HICCUPS)
async def test_a_hiccup_costs_a_moment_and_not_the_sentence(place: Any, hiccup: Reply) -> None:
    call = place(hiccup, GOOD)
    frame = await call.speak()
    assert frame.duration == pytest.approx(SECONDS, abs=0.05)
    assert hertz(frame) == pytest.approx(440, abs=3)
    assert call.provider.times[1] < 4.5


SOUNDS = {
    "PCM": GOOD,
    "events": speech_events(TONE),
    "octets": sound(TONE, "application/octet-stream"),
    "without a type": sound(TONE, ""),
    "16 kHz": sound(pcm(SECONDS, 16_000), "audio/pcm;rate=16000"),
    "48 kHz, odd pieces": sound(pcm(SECONDS, 48_000), "audio/pcm; rate=48000", size=4801),
    "WAV": sound(wav(SECONDS), "audio/wav"),
    "WAV of 44.1 kHz as octets": sound(wav(SECONDS, 44_100), "application/octet-stream"),
    "WAV called PCM": sound(wav(SECONDS, 16_000), "audio/pcm"),
    "WAV in small pieces": sound(wav(SECONDS, 16_000), "audio/wav", size=33, step_seconds=0),
    "WAV without a length": sound(wav(SECONDS, size=0xFFFFFFFF), "audio/wav"),
    "WAV with words behind": sound(wav(SECONDS) + b"LIST" + b"\x7f" * 20_000, "audio/wav"),
    "WAV in events": speech_events(wav(SECONDS, 48_000)),
}  # fmt: skip


@pytest.mark.parametrize("reply", SOUNDS.values(), ids=SOUNDS)
async def test_sound_has_its_pitch_and_its_length(place: Any, reply: Reply) -> None:
    call = place(reply)
    frame = await call.speak()
    assert frame.duration == pytest.approx(SECONDS, abs=0.03)
    assert hertz(frame) == pytest.approx(440, abs=3)
    assert len(call.provider.network.requests) == 1


async def test_the_whole_patience_for_a_voice(place: Any) -> None:
    call = place(failure(503))
    with pytest.raises(UnavailableError, match=r"gpt-4o-mini-tts at https://api\.openai\.com/v1"):
        await call.speak()
    assert call.provider.times[-1] > 15


async def test_a_refused_key_is_told_at_once(place: Any) -> None:
    call = place(failure(401))
    with pytest.raises(RefusedError):
        await call.speak()
    assert call.provider.times == [0]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_sentence_that_is_refused_is_told_from_a_voice_that_fails(
    place: Any, status: int
) -> None:
    call = place(failure(status))
    with pytest.raises(ContentRefusedError):
        await call.speak()


async def test_a_sentence_without_sound_is_asked_for_twice(place: Any) -> None:
    call = place(Reply(content_type="audio/pcm"))
    with pytest.raises(ContentRefusedError):
        await call.speak()
    assert len(call.provider.times) == 2


BROKEN = {
    "no end event": speech_events(TONE[: len(TONE) // 2], has_end=False),
    "cut": sound(TONE[: len(TONE) // 2], end=End.CUT),
    "hangs": sound(TONE[: len(TONE) // 2], end=End.HANGS),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_a_sentence_that_broke_off_goes_on_where_it_was(place: Any, broken: Reply) -> None:
    call = place(broken, GOOD)
    frame = await call.speak()
    assert frame.duration == pytest.approx(SECONDS, abs=0.05)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_a_sentence_that_breaks_off_twice_broke_off(place: Any, broken: Reply) -> None:
    call = place(broken)
    with pytest.raises(BrokenOffError):
        await call.speak()
    assert len(call.provider.times) == 2


@pytest.mark.parametrize("hiccup", HICCUPS.values(), ids=HICCUPS)
async def test_the_fallback_speaks_in_all_these_cases(place: Any, hiccup: Reply) -> None:
    call = place(hiccup, GOOD, fallback_tts_model="other")
    assert (await call.speak()).duration == pytest.approx(SECONDS, abs=0.05)
    assert call.provider.network.requests[1].body["model"] == "other"


async def test_in_traces_a_sentence_is_one_request_below_the_whole(
    place: Any, traced: InMemorySpanExporter
) -> None:
    async with place(GOOD).voice.synthesize("It is twelve.") as stream:
        async for _ in stream:
            pass
    names = [span.name for span in traced.get_finished_spans()]
    assert sorted(names) == ["tts_fallback_adapter", "tts_request", "tts_request_run"]
