"""What a caller hears, on whatever clock the event loop has."""

import asyncio
from dataclasses import dataclass

from livekit import rtc
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

SAMPLE_RATE = 24_000


@dataclass(slots=True)
class Heard:
    """Something that was heard in one go."""

    what: str
    at_seconds: float
    seconds: float = 0.0


class NotedAudioOutput(AudioOutput):
    """Plays in real time what it is given, and notes it."""

    def __init__(self) -> None:
        super().__init__(
            label="caller",
            capabilities=AudioOutputCapabilities(pause=False),
            sample_rate=SAMPLE_RATE,
        )
        self.heard: list[Heard] = []
        self._queued_seconds = 0.0
        self._began = 0.0
        self._finishing: asyncio.TimerHandle | None = None
        self._finished = asyncio.Event()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """As a room's output does, wait until what was flushed has been heard."""
        while self._finishing:
            await self._finished.wait()
        await super().capture_frame(frame)
        if not self._queued_seconds:
            self._began = _now()
            self.heard.append(Heard("agent", self._began))
            self.on_playback_started(created_at=0)
        self._queued_seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._queued_seconds and not self._finishing:
            self._finished.clear()
            left = max(self._began + self._queued_seconds - _now(), 0.0)
            self._finishing = asyncio.get_running_loop().call_later(left, self._finish, False)

    def clear_buffer(self) -> None:
        if self._finishing:
            self._finishing.cancel()
        self._finish(True)

    async def play_filler(self) -> None:
        """As `agent.call.reply.fillers` wants one to be played."""
        self.heard.append(Heard("filler", _now(), 2.0))
        await asyncio.sleep(2.0)

    def _finish(self, interrupted: bool) -> None:
        self._finishing = None
        self._finished.set()
        if self._queued_seconds:
            played = min(self._queued_seconds, _now() - self._began)
            self._queued_seconds = 0.0
            self.heard[-1 if self.heard[-1].what == "agent" else -2].seconds = played
            self.on_playback_finished(playback_position=played, interrupted=interrupted)


def _now() -> float:
    return asyncio.get_running_loop().time()
