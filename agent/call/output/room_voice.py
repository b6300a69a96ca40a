"""The agent's voice in a room: the end of the session's audio outputs, in place of LiveKit's own.

LiveKit's sends 50 ms at a time and waits for each; every piece costs half a millisecond. This one
takes pieces of any length, and gives back what has not been heard yet.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import AgentSession, JobContext
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from agent.call.output.publishing import publish_options
from agent.tasks import Tasks

SAMPLE_RATE = 24_000
"""The rate of OpenAI's voices; LiveKit's session resamples the others."""

QUEUE_MS = 400
"""How much sound LiveKit's native part takes before it makes us wait."""

TRACK_NAME = "roomio_audio"
"""LiveKit's own name for an agent's track."""


class Source(Protocol):
    """Where the sound goes: LiveKit's `rtc.AudioSource`."""

    @property
    def queued_duration(self) -> float:
        """The sound that has not been heard, in seconds."""

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Play this after the earlier frames. Returns when there is room for more."""

    async def wait_for_playout(self) -> None:
        """Return when all of it has been played."""

    def clear_queue(self) -> None:
        """Fall silent."""

    async def aclose(self) -> None:
        """Play nothing more."""


class RoomVoice(AudioOutput):
    """Publishes the agent's voice at once, and holds the first sound until somebody listens."""

    def __init__(self, source: Source, publish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Make it in the event loop. `publish` returns when somebody listens."""
        super().__init__(
            label="RoomVoice",
            capabilities=AudioOutputCapabilities(pause=True),
            sample_rate=SAMPLE_RATE,
        )
        self._source = source
        self._tasks = Tasks()
        self._published = self._tasks.start(publish(), name="agent's track")
        self._ending: asyncio.Task[None] | None = None
        self._is_capturing = False
        self._pushed_seconds = 0.0
        """Of the current segment."""
        self._cut_seconds: float | None = None
        """How much of it was heard, if the rest was cleared."""

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await asyncio.shield(self._published)
        if self._ending:
            await asyncio.wait([self._ending])
        if self._cut_seconds is None:
            await super().capture_frame(frame)
            await self._play(frame)

    def take_back(self) -> float:
        """Fall silent at once. Returns how many seconds at the end of what was captured have not
        been heard, and never will be, unless they are captured again. 0, and no silence, while a
        frame is being captured or a segment ends."""
        if self._ending or self._is_capturing or not self._pushed_seconds:
            return 0.0
        seconds = min(self._source.queued_duration, self._pushed_seconds)
        self._source.clear_queue()
        self._pushed_seconds -= seconds
        return seconds

    def flush(self) -> None:
        super().flush()
        if (self._pushed_seconds or self._cut_seconds is not None) and not self._ending:
            self._ending = self._tasks.start(self._end(), name="end of the agent's voice")

    def clear_buffer(self) -> None:
        if self._pushed_seconds and self._cut_seconds is None:
            unheard_seconds = min(self._source.queued_duration, self._pushed_seconds)
            self._cut_seconds = self._pushed_seconds - unheard_seconds
            self._source.clear_queue()

    async def aclose(self) -> None:
        """Play nothing more; return when nothing runs any more."""
        await self._tasks.aclose()
        await self._source.aclose()

    async def _play(self, frame: rtc.AudioFrame) -> None:
        if not self._pushed_seconds:
            self.on_playback_started(created_at=time.time())
        self._pushed_seconds += frame.duration
        self._is_capturing = True
        try:
            await self._source.capture_frame(frame)
        finally:
            self._is_capturing = False
            if self._cut_seconds is not None:
                self._source.clear_queue()  # it may have been cleared just before this was in it

    async def _end(self) -> None:
        """Report the segment's end when it has been heard or cleared."""
        if self._cut_seconds is None:
            await self._source.wait_for_playout()
        cut_seconds, pushed_seconds = self._cut_seconds, self._pushed_seconds
        self._cut_seconds, self._pushed_seconds = None, 0.0
        self._ending = None
        self.on_playback_finished(
            playback_position=pushed_seconds if cut_seconds is None else cut_seconds,
            interrupted=cut_seconds is not None,
        )


def speak_in_room(job: JobContext, session: AgentSession[Any]) -> None:
    """Have a session speak in the room of a job, which has been joined. Before it starts."""
    source = rtc.AudioSource(SAMPLE_RATE, num_channels=1, queue_size_ms=QUEUE_MS)
    voice = RoomVoice(source, partial(_publish, job.room, source))
    job.add_shutdown_callback(voice.aclose)
    session.output.audio = voice


async def _publish(room: rtc.Room, source: rtc.AudioSource) -> None:
    track = rtc.LocalAudioTrack.create_audio_track(TRACK_NAME, source)
    options = publish_options(rtc.TrackSource.SOURCE_MICROPHONE)
    publication = await room.local_participant.publish_track(track, options)
    await publication.wait_for_subscription()
