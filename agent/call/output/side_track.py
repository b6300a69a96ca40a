"""Plays sound beside the session's own voice, on a track of its own.

The sound appears in no transcript and no history, and does not change the agent's state.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from livekit import rtc

from agent.call.output.publishing import publish_options
from agent.call.recording.recorder import Tap
from agent.tasks import Tasks

PUBLISH_SECONDS = 5


class Source(Protocol):
    """Where the sound of a track goes: LiveKit's `rtc.AudioSource`."""

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Play this after the earlier frames. Returns when there is room for more."""

    async def wait_for_playout(self) -> None:
        """Return when all of it has been played."""

    def clear_queue(self) -> None:
        """Fall silent."""


class SideTrack:
    """A track, published by `publish` when it is first needed."""

    def __init__(
        self, publish: Callable[[], Coroutine[Any, Any, Source]], tap: Tap | None = None
    ) -> None:
        """`tap` learns what is heard."""
        self._publish = publish
        self._tap = tap
        self._published: asyncio.Task[Source] | None = None
        self._tasks = Tasks()

    def get_ready(self) -> None:
        """Publish the track. Tries again if that has failed before."""
        if self._published is None or (self._published.done() and not self.is_ready):
            self._published = self._tasks.start(self._publish(), name="side track")

    @property
    def is_ready(self) -> bool:
        """Whether a sound would be heard at once."""
        published = self._published
        return (
            published is not None
            and published.done()
            and not published.cancelled()
            and published.exception() is None
        )

    async def aclose(self) -> None:
        """Publish it no more."""
        await self._tasks.aclose()

    async def play(self, frames: AsyncIterable[rtc.AudioFrame]) -> None:
        """Play this. Returns when it has been heard; falls silent at once if cancelled.

        Raises what LiveKit raises, and TimeoutError after PUBLISH_SECONDS.
        """
        self.get_ready()
        assert self._published
        async with asyncio.timeout(PUBLISH_SECONDS):
            source = await asyncio.shield(self._published)
        try:
            async for frame in frames:
                if self._tap:
                    self._tap.play(frame)
                await source.capture_frame(frame)
            await source.wait_for_playout()
        finally:
            source.clear_queue()
            if self._tap:
                self._tap.cut()


def side_track(room: rtc.Room, name: str, sample_rate: int, tap: Tap | None = None) -> SideTrack:
    """A track of this name in the room, for mono sound; `tap` learns what is heard of it."""
    return SideTrack(partial(_publish, room, name, sample_rate), tap)


async def _publish(room: rtc.Room, name: str, sample_rate: int) -> Source:
    source = rtc.AudioSource(sample_rate, num_channels=1)
    track = rtc.LocalAudioTrack.create_audio_track(name, source)
    publication = await room.local_participant.publish_track(track, publish_options())
    await publication.wait_for_subscription()
    return source
