"""One participant of a room that is written down: from the voice to words under that name."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import stt, utils
from livekit.agents.types import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_TRANSCRIPTION,
)

from agent.call.log_context import caller_fields
from agent.call.voice_feed import Audio, VoiceFeed

log = logging.getLogger(__name__)


class Speaker:
    """One stream for one participant, whichever tracks the voice comes from, and however often.

    A microphone that is muted keeps its stream, which ends its session by itself when no audio has
    come for `ASSEMBLYAI_IDLE_SECONDS`: a session a click would use up the account's limit.
    """

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        ears: stt.STT[Any],
        *,
        open_audio: Callable[[rtc.Track], Audio],
        on_turn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_turn` is called with the words of each turn."""
        self._room = room
        self._identity = identity
        self._on_turn = on_turn
        self._is_heard = False
        self._stream = ears.stream()
        self._feed = VoiceFeed(room, identity, self._take, hears_muted=False, open_audio=open_audio)
        self._ending = asyncio.Event()
        self._segment_id = utils.shortuuid("SG_")

    def close(self) -> None:
        """The voice ends here; its last words are still to come."""
        self._ending.set()

    async def run(self) -> None:
        """Publish from the first word to the last one. Raises `APIError` of the ears."""
        async with self._stream as stream, asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            async for event in stream:
                await self._publish(event)
            listening.cancel()

    async def _listen(self) -> None:
        try:
            await self._ending.wait()
        finally:
            await self._feed.aclose()
            with contextlib.suppress(RuntimeError):  # the stream has failed, and said why
                self._stream.end_input()

    def _take(self, frame: rtc.AudioFrame) -> None:
        if not self._is_heard:
            self._is_heard = True
            log.info("a participant is heard", extra=caller_fields(self._identity))
        # A stream that failed takes nothing more; whoever reads its events learns why.
        with contextlib.suppress(RuntimeError):
            self._stream.push_frame(frame)

    async def _publish(self, event: stt.SpeechEvent) -> None:
        """The turn so far, or the whole of it, as a session would publish it."""
        if not event.alternatives:
            return
        final = event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
        attributes = {
            ATTRIBUTE_TRANSCRIPTION_FINAL: str(final).lower(),
            ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: self._segment_id,
            ATTRIBUTE_TRANSCRIPTION_TRACK_ID: self._feed.track_sid,
        }
        if final:
            self._segment_id = utils.shortuuid("SG_")
            self._on_turn(event.alternatives[0].text)
        if self._room.isconnected():  # a room that is gone reads nothing
            with contextlib.suppress(ConnectionError):
                writer = await self._room.local_participant.stream_text(
                    topic=TOPIC_TRANSCRIPTION,
                    sender_identity=self._identity,
                    attributes=attributes,
                )
                await writer.write(event.alternatives[0].text)
                await writer.aclose()
