"""A telephone line inside one process: LiveKit's audio input, on one clock."""

import asyncio
import time
from collections import deque

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from agent.caller.timeline import Samples

__all__ = ["FRAME_SECONDS", "SAMPLE_RATE", "LiveAudioInput"]

SAMPLE_RATE = 16_000
FRAME_SECONDS = 0.05  # as a room's input cuts it
_FRAME_SAMPLES = round(SAMPLE_RATE * FRAME_SECONDS)


class LiveAudioInput(io.AudioInput):
    """Real time in frames of 50 ms: each is handed over when its last sample has been spoken."""

    def __init__(self, began_at: float) -> None:
        """`began_at` is when the first frame begins, by the monotonic clock."""
        super().__init__(label="audio_input")
        self._began_at = began_at
        self._position = 0
        self._waiting: deque[tuple[int, Samples]] = deque()

    def say(self, samples: Samples, at_seconds: float) -> None:
        """Speak mono sound from this time on, by the monotonic clock; it must not be past."""
        self._waiting.append((round((at_seconds - self._began_at) * SAMPLE_RATE), samples))

    async def __anext__(self) -> rtc.AudioFrame:
        due = self._began_at + (self._position + _FRAME_SAMPLES) / SAMPLE_RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        frame = np.zeros(_FRAME_SAMPLES, np.int16)
        for first, samples in self._waiting:
            start = max(0, first - self._position)
            piece = samples[max(0, self._position - first) :][: max(0, _FRAME_SAMPLES - start)]
            frame[start : start + piece.size] = piece
        self._position += _FRAME_SAMPLES
        if self._waiting and self._waiting[0][0] + self._waiting[0][1].size <= self._position:
            self._waiting.popleft()
        return rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, _FRAME_SAMPLES)
