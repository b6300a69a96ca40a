"""What the worker's own detectors hear in a call: voice, quiet, and whether the turn sounds over.

Each call is heard once; all settings go by that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from livekit import rtc
from livekit.agents.utils import ExpFilter

from agent.call.end_of_turn.sound import LatestSound, Quiet
from workbench.engines.activity import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ, ActivityDetector
from workbench.timeline import Samples

__all__ = ["Moment", "Predict", "moments"]

Predict = Callable[[Samples], float]

_SMOOTHING = 0.35
"""As LiveKit's plugin smooths Silero's probabilities."""
_PREDICTION_MS = 50.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that is known from this moment on. Times are milliseconds of the call."""

    kind: Literal["voice", "quiet", "judged"]
    at_ms: float
    quiet_since_ms: float = 0.0
    probability: float = 0.0
    """That the turn is over, of what is judged."""


def moments(
    samples: Samples, predict: Predict, *, window_seconds: float, voice_threshold: float
) -> list[Moment]:
    """All of a call's, in order; `samples` are mono, 16 kHz."""
    hearing, smooth = ActivityDetector.load(), ExpFilter(alpha=_SMOOTHING)
    latest, quiet = LatestSound(window_seconds), Quiet(voice_threshold)
    was_quiet, found = True, []
    for number, begin in enumerate(range(0, samples.size - FRAME_SAMPLES, FRAME_SAMPLES), 1):
        frame, now_ms = samples[begin : begin + FRAME_SAMPLES], float(number * FRAME_MS)
        latest.push([rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE_HZ, 1, FRAME_SAMPLES)])
        voice = smooth.apply(1.0, hearing.probability(frame.astype(np.float32) / np.float32(32768)))
        asks = quiet.hear(FRAME_MS / 1000, voice)
        since_ms = now_ms - quiet.seconds * 1000
        if was_quiet is not bool(quiet.seconds):
            was_quiet = not was_quiet
            found.append(Moment("quiet" if was_quiet else "voice", now_ms, since_ms))
        if asks:
            probability = predict(latest.samples())
            found.append(Moment("judged", now_ms + _PREDICTION_MS, since_ms, probability))
    return _in_time(found)


def _in_time(found: list[Moment]) -> list[Moment]:
    """In order, without the opinions that a voice has overtaken."""
    kept, is_voice = [], False
    for each in sorted(found, key=lambda each: each.at_ms):
        if each.kind != "judged":
            is_voice = each.kind == "voice"
        if each.kind != "judged" or not is_voice:
            kept.append(each)
    return kept
