"""From the probability of a voice, window by window, to its start and its end.

It decides as Silero's plugin does, and is compared with it on recorded speech
(`tests/agent/call/voices/test_voice_detector.py`).
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from livekit import rtc
from livekit.agents import vad

RATE = 16_000
WINDOW_SAMPLES = 512
WINDOW_SECONDS = WINDOW_SAMPLES / RATE
SILENCE_DB = -100.0
_LOUDEST = 32768.0
_OLD_SHARE = 0.35
"""How much of a smoothed probability is the one before."""


def level_db(pcm: bytes | memoryview) -> float:
    """The loudness of 16 bit sound, in dBFS: 0 is the loudest possible."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float32)
    power = float(np.dot(samples, samples)) / max(1, samples.size) / _LOUDEST**2
    return 10 * math.log10(max(power, 10 ** (SILENCE_DB / 10)))


class Result(vad.VADEvent):
    """What was found in one window."""

    @cached_property
    def level_db(self) -> float:
        """How loud it is, in dBFS; several ask."""
        return level_db(self.frames[0].data)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a voice has begun, and when it has ended."""

    activation: float
    """A voice begins at this probability, 0 to 1 ..."""
    deactivation: float
    """... and goes on above this one."""
    least_voice_seconds: float = 0.05
    least_silence_seconds: float = 0.55
    before_seconds: float = 0.5
    """How much sound from before the voice comes with it."""
    longest_seconds: float = 60.0
    """No more sound than this is kept of one voice."""


class Detection:
    """One stream of windows, each WINDOW_SECONDS long."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._before = round(limits.before_seconds / WINDOW_SECONDS)
        longest = self._before + round(limits.longest_seconds / WINDOW_SECONDS)
        self._kept: deque[rtc.AudioFrame] = deque(maxlen=longest)
        self._windows = 0
        self.reset()

    def reset(self) -> None:
        """Forget the voice: what comes next begins another segment."""
        self._smooth: float | None = None
        self._is_voice = False
        self._voice_seconds = self._silence_seconds = 0.0
        self._rising_seconds = self._falling_seconds = 0.0
        self._kept.clear()
        self._windows = 0

    def hear(
        self, probability: float, window: rtc.AudioFrame, took_seconds: float
    ) -> Iterator[vad.VADEvent]:
        """Judge one window. `took_seconds`: how long its probability took."""
        new_share = 1 - _OLD_SHARE
        smooth = probability
        if self._smooth is not None:
            smooth = _OLD_SHARE * self._smooth + new_share * probability
        self._smooth = smooth
        self._windows += 1
        self._kept.append(window)
        if self._is_voice:
            self._voice_seconds += WINDOW_SECONDS
        else:
            self._silence_seconds += WINDOW_SECONDS
        yield self._result(smooth, window, took_seconds)
        limits = self._limits
        if smooth >= limits.activation or (self._is_voice and smooth > limits.deactivation):
            self._rising_seconds += WINDOW_SECONDS
            self._falling_seconds = 0.0
            if not self._is_voice and self._rising_seconds >= limits.least_voice_seconds:
                yield self._begin()
        else:
            self._falling_seconds += WINDOW_SECONDS
            self._rising_seconds = 0.0
            if self._is_voice and self._falling_seconds >= limits.least_silence_seconds:
                yield self._end()
            if not self._is_voice:
                self._forget_sound()

    def _begin(self) -> vad.VADEvent:
        self._is_voice = True
        self._silence_seconds, self._voice_seconds = 0.0, self._rising_seconds
        return self._event(vad.VADEventType.START_OF_SPEECH, list(self._kept))

    def _end(self) -> vad.VADEvent:
        self._is_voice = False
        self._silence_seconds = self._falling_seconds
        self._voice_seconds = max(0.0, self._voice_seconds - self._falling_seconds)
        ended = self._event(vad.VADEventType.END_OF_SPEECH, list(self._kept))
        self._voice_seconds = 0.0
        return ended

    def _forget_sound(self) -> None:
        while len(self._kept) > self._before:
            self._kept.popleft()

    def _result(self, smooth: float, window: rtc.AudioFrame, took_seconds: float) -> vad.VADEvent:
        return Result(
            type=vad.VADEventType.INFERENCE_DONE,
            samples_index=self._windows * WINDOW_SAMPLES,
            timestamp=self._windows * WINDOW_SECONDS,
            speech_duration=self._voice_seconds,
            silence_duration=self._silence_seconds,
            frames=[window],
            probability=smooth,
            inference_duration=took_seconds,
            speaking=self._is_voice,
            raw_accumulated_silence=self._falling_seconds,
            raw_accumulated_speech=self._rising_seconds,
        )

    def _event(self, kind: vad.VADEventType, frames: list[rtc.AudioFrame]) -> vad.VADEvent:
        return vad.VADEvent(
            type=kind,
            samples_index=self._windows * WINDOW_SAMPLES,
            timestamp=self._windows * WINDOW_SECONDS,
            speech_duration=self._voice_seconds,
            silence_duration=self._silence_seconds,
            frames=frames,
            speaking=self._is_voice,
        )
