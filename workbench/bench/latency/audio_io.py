"""A telephone line inside one process: LiveKit's audio input and output, on one clock."""

import asyncio
import time
from collections import deque

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from agent.caller.timeline import Samples

__all__ = ["FRAME_SECONDS", "SAMPLE_RATE", "LiveAudioInput", "LiveAudioOutput"]

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


class LiveAudioOutput(io.AudioOutput):
    """Plays in real time to nobody; `replies` tells when each reply began."""

    def __init__(self) -> None:
        super().__init__(
            label="audio_output",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=24_000,
        )
        self.replies: list[float] = []
        self._captured_seconds = 0.0
        self._end: asyncio.TimerHandle | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._captured_seconds:
            self.replies.append(time.monotonic())
            self.on_playback_started(created_at=time.time())
        self._captured_seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._captured_seconds and self._end is None:
            left = self.replies[-1] + self._captured_seconds - time.monotonic()
            loop = asyncio.get_running_loop()
            self._end = loop.call_later(max(0.0, left), self._finish, self._captured_seconds)

    def clear_buffer(self) -> None:
        if not self._captured_seconds:
            return
        played = min(self._captured_seconds, time.monotonic() - self.replies[-1])
        self._finish(played, interrupted=True)

    def _finish(self, played_seconds: float, *, interrupted: bool = False) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end, self._captured_seconds = None, 0.0
        self.on_playback_finished(playback_position=played_seconds, interrupted=interrupted)
