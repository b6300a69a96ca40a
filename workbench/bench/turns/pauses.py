"""What the worker's own detectors hear in a call: voice, quiet, and whether the turn sounds over.

Each call is heard once; all settings go by that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from livekit import rtc
from livekit.agents.utils import ExpFilter

from agent.call.turns.end_of_turn.sound import LatestSound, Quiet
from agent.caller.timeline import Samples
from workbench.standins.engines.activity import (
    FRAME_MS,
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    ActivityDetector,
)

__all__ = ["PREDICTION_MS", "Moment", "Predict", "moments", "voices"]

Predict = Callable[[Samples], float]

_SMOOTHING = 0.35
"""As LiveKit's plugin smooths Silero's probabilities."""
PREDICTION_MS = 50.0
"""How long a prediction takes, on the call's own clock, however busy this machine is."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that is known from this moment on. Times are milliseconds of the call."""

    kind: Literal["voice", "quiet", "judged"]
    at_ms: float
    quiet_since_ms: float = 0.0
    probability: float = 0.0
    """That the turn is over, of what is judged."""


def voices(samples: Samples) -> list[float]:
    """How probable a voice is in each 32 ms of a call, by Silero's detector; mono, 16 kHz."""
    return ActivityDetector.load().probabilities(samples.astype(np.float32) / np.float32(32768))


def moments(
    samples: Samples,
    heard: Sequence[float],
    predict: Predict,
    *,
    window_seconds: float,
    voice_threshold: float,
) -> list[Moment]:
    """All of a call's, in order; `heard` is what `voices` has found."""
    smooth = ExpFilter(alpha=_SMOOTHING)
    latest, quiet = LatestSound(window_seconds), Quiet(voice_threshold)
    was_quiet, found = True, []
    for number, probability in enumerate(heard, 1):
        frame = samples[(number - 1) * FRAME_SAMPLES : number * FRAME_SAMPLES]
        now_ms = float(number * FRAME_MS)
        latest.push([rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE_HZ, 1, FRAME_SAMPLES)])
        voice = smooth.apply(1.0, probability)
        asks = quiet.hear(FRAME_MS / 1000, voice)
        since_ms = now_ms - quiet.seconds * 1000
        if was_quiet is not bool(quiet.seconds):
            was_quiet = not was_quiet
            found.append(Moment("quiet" if was_quiet else "voice", now_ms, since_ms))
        if asks:
            over = predict(latest.samples())
            found.append(Moment("judged", now_ms + PREDICTION_MS, since_ms, over))
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
