"""A caller's microphone: 48 kHz in real time, silence whenever nothing is said."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from livekit import rtc

from agent.caller.timeline import Samples, Timeline

SAMPLE_RATE = 48_000
_FRAME_SAMPLES = 960
_FRAME_SECONDS = _FRAME_SAMPLES / SAMPLE_RATE
# Frames lie ready this long before they are due, so that a busy machine does not tear the voice.
_LEAD_SECONDS = 0.1
_QUEUE_MS = 300


@dataclass(frozen=True, slots=True)
class Spoken:
    """When something was said, first to last sample, in seconds on the call's clock."""

    start_seconds: float
    end_seconds: float


@dataclass(slots=True)
class _Saying:
    samples: Samples
    done: asyncio.Future[Spoken]
    sent: int = 0
    start_seconds: float = 0.0


class Microphone:
    """Sends frames as they are played; `said` and `spoken` are on the call's clock."""

    def __init__(self, source: rtc.AudioSource, started_at: float, tick: Callable[[], None]):
        self.said = Timeline(SAMPLE_RATE)
        self.spoken: list[Spoken] = []
        self._source = source
        self._started_at = started_at
        self._tick = tick
        self._waiting: deque[_Saying] = deque()

    @staticmethod
    def new_source() -> rtc.AudioSource:
        """A source that fits `run`."""
        return rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=_QUEUE_MS)

    async def say(self, samples: Samples) -> Spoken:
        """Speak mono 48 kHz sound, after what is being said already; returns when it is out."""
        saying = _Saying(samples, asyncio.get_running_loop().create_future())
        self._waiting.append(saying)
        return await saying.done

    async def run(self) -> None:
        """Send until cancelled, a frame every 20 ms.

        What lies ready is played in real time: if it ran out once, because the machine was busy,
        all that follows is later by so much. To make up for it in a burst would only queue it up.
        """
        due = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, due - _LEAD_SECONDS - time.monotonic()))
            due = max(due, time.monotonic())
            await self._source.capture_frame(self._next_frame(due - self._started_at))
            due += _FRAME_SECONDS
            self._tick()

    def _next_frame(self, at_seconds: float) -> rtc.AudioFrame:
        frame = np.zeros(_FRAME_SAMPLES, np.int16)
        if self._waiting:
            saying = self._waiting[0]
            if saying.sent == 0:
                saying.start_seconds = at_seconds
            piece = saying.samples[saying.sent : saying.sent + _FRAME_SAMPLES]
            frame[: piece.size] = piece
            self.said.put(at_seconds, piece)
            saying.sent += piece.size
            if saying.sent >= saying.samples.size:
                self._waiting.popleft()
                end_seconds = at_seconds + piece.size / SAMPLE_RATE
                spoken = Spoken(saying.start_seconds, end_seconds)
                self.spoken.append(spoken)
                loop = asyncio.get_running_loop()
                loop.call_later(_LEAD_SECONDS, _finish, saying.done, spoken)
        return rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, _FRAME_SAMPLES)


def _finish(done: asyncio.Future[Spoken], spoken: Spoken) -> None:
    if not done.done():
        done.set_result(spoken)
