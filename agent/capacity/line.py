"""A telephone line that leads nowhere: sound comes in and goes out in real time, through Opus.

A voice in a room is decoded and encoded by LiveKit's native library, in threads of its own. Here
the same codec does it, once for each frame of 20 ms.
"""

import asyncio
import time
from collections.abc import Sequence

import av
import numpy as np
import numpy.typing as npt
from livekit import rtc
from livekit.agents.voice import io

Samples = npt.NDArray[np.int16]

RATE, FRAME_SECONDS = 16_000, 0.05
_FRAME = round(RATE * FRAME_SECONDS)
_OPUS_RATE, _OPUS_FRAME = 48_000, 960
_VOICE_RATE = 24_000


class Codec:
    """Encodes the agent's side of a call and decodes the caller's."""

    def __init__(self) -> None:
        self._encoder = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate = _OPUS_RATE
        self._encoder.layout = "mono"
        self._encoder.format = "s16"
        self._encoder.bit_rate = 32_000
        self._encoder.options = {"application": "voip"}
        self._decoder = av.CodecContext.create("opus", "r")
        self._decoder.sample_rate = _OPUS_RATE
        self._decoder.layout = "mono"
        rng = np.random.default_rng(0)
        self._voice = rng.normal(0, 2000, (1, _OPUS_FRAME)).astype(np.int16)

    def run(self, seconds: float) -> None:
        """Do the work of so much of a call, both ways."""
        for _ in range(round(seconds * _OPUS_RATE / _OPUS_FRAME)):
            frame = av.AudioFrame.from_ndarray(self._voice, format="s16", layout="mono")
            frame.sample_rate = _OPUS_RATE
            for packet in self._encoder.encode(frame):
                self._decoder.decode(packet)


class Input(io.AudioInput):
    """The caller, who says the same once in a cycle; each frame is handed over when it is due."""

    def __init__(self, voice: Samples, cycle_seconds: float, codec: Codec) -> None:
        """`voice` is mono at RATE, and at most a cycle long."""
        super().__init__(label="audio_input")
        self._cycle = np.zeros(round(RATE * cycle_seconds), np.int16)
        self._cycle[: voice.size] = voice
        self._voice_seconds = voice.size / RATE
        self._codec = codec
        self._began_at = time.monotonic()
        self._position = 0

    async def __anext__(self) -> rtc.AudioFrame:
        due = self._began_at + (self._position + _FRAME) / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        self._codec.run(FRAME_SECONDS)
        at = self._position % self._cycle.size
        self._position += _FRAME
        return rtc.AudioFrame(self._cycle[at : at + _FRAME].tobytes(), RATE, 1, _FRAME)

    def waits(self, replies: Sequence[float]) -> list[float]:
        """How long after each end of the caller's voice a reply began; those times are of the
        monotonic clock."""
        cycle_seconds, found = self._cycle.size / RATE, []
        for each in replies:
            wait = (each - self._began_at - self._voice_seconds) % cycle_seconds
            found.append(wait)
        return found


class Output(io.AudioOutput):
    """Plays nothing; `replies` has when each reply began, by the monotonic clock."""

    def __init__(self) -> None:
        super().__init__(
            label="audio_output",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=_VOICE_RATE,
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
        if self._captured_seconds:
            played = min(self._captured_seconds, time.monotonic() - self.replies[-1])
            self._finish(played, interrupted=True)

    def _finish(self, played_seconds: float, *, interrupted: bool = False) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end, self._captured_seconds = None, 0.0
        self.on_playback_finished(playback_position=played_seconds, interrupted=interrupted)
