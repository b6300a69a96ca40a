"""What callers, AssemblyAI and the voice say in the calls: made once, as a file for the load."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.timeline import Samples
from workbench.bench.latency.dialogue import Line, Said, say
from workbench.bench.latency.providers import Delays
from workbench.local.calling.corpus import resampled, synthesised

__all__ = ["LINES", "PACKET_MS", "packets", "write"]

PACKET_MS = 20
_PACKET_SAMPLES = SAMPLE_RATE * PACKET_MS // 1000
_BITS_A_SECOND = 32_000
_NOISE = 16
"""The effective value, of 32768, of what a microphone hears in a quiet room: -66 dB."""
_NOISE_SECONDS = 10
_VOICE_RATE = 24_000
_VOICE = (
    "You asked a very good question, and I am glad to help you with that today.",
    "Let me see what I can do for you, and tell me if there is anything else that you need.",
)

LINES = (
    Line(("What time do you open tomorrow?",)),
    Line(("I would like to book a table for two people.",)),
    Line(("Can you help me with my order?",)),
    Line(("My name is Clara and I am calling about a parcel.",)),
    Line(("Could you tell me when the last train leaves?",)),
    Line(("I want to cancel my appointment on Monday.",)),
)
"""Questions without a pause: this is about load, not about whose turn it is."""


def write(
    path: Path, delays: Delays, lines: Sequence[Line] = LINES, *, counts: bool = False
) -> None:
    """Make the script and write it. If it `counts`, each answer says how many questions and words
    the model was sent. Raises EngineUnavailableError where the voice is missing."""
    noise = np.random.default_rng(0)
    quiet = noise.normal(0, _NOISE, _NOISE_SECONDS * SAMPLE_RATE)
    script = {
        "lines": [_spoken(say(line), noise) for line in lines],
        "quiet": _text(packets(quiet.astype(np.int16))),
        "speech": base64.b64encode(_voice().tobytes()).decode(),
        "delays": {
            "transcript_ms": delays.transcript_ms,
            "twin_ms": delays.twin_ms,
            "first_token_ms": delays.first_token_ms,
            "first_sound_ms": delays.first_sound_ms,
        },
        "counts": counts,
    }
    path.write_text(json.dumps(script), encoding="utf-8")


def packets(sound: Samples) -> list[bytes]:
    """Opus packets of PACKET_MS of mono sound at SAMPLE_RATE; the last one is filled up."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate = SAMPLE_RATE
    encoder.layout = "mono"
    encoder.format = "s16"
    encoder.bit_rate = _BITS_A_SECOND
    encoder.options = {"application": "voip", "frame_duration": str(PACKET_MS)}
    return [bytes(packet) for frame in _frames(sound) for packet in encoder.encode(frame)]


def _frames(sound: Samples) -> Iterator[av.AudioFrame]:
    for start in range(0, sound.size, _PACKET_SAMPLES):
        piece = np.zeros((1, _PACKET_SAMPLES), np.int16)
        part = sound[start : start + _PACKET_SAMPLES]
        piece[0, : part.size] = part
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        yield frame


def _spoken(said: Said, noise: np.random.Generator) -> Mapping[str, Any]:
    """A line as the load takes it: its sound in the noise of the room, and its words."""
    sound = said.samples + noise.normal(0, _NOISE, said.samples.size)
    return {
        "words": [
            {"text": word.text, "start_ms": word.start_ms, "end_ms": word.end_ms}
            for word in said.cue.words
        ],
        "packets": _text(packets(np.clip(sound, -32768, 32767).astype(np.int16))),
        "last_sound": int(said.end_seconds * 1000) // PACKET_MS,
    }


def _voice() -> Samples:
    """The agent's voice, from its first sound on."""
    spoken = [resampled(synthesised(text).samples, SAMPLE_RATE, _VOICE_RATE) for text in _VOICE]
    sound = np.concatenate(spoken)
    return sound[int(np.argmax(np.abs(sound) > np.abs(sound).max() / 20)) :]


def _text(opus: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(packet).decode() for packet in opus]
