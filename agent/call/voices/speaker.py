"""One of several speakers in a room: turns the voice into speech events, and words on screens."""

import asyncio
import contextlib
import logging
from collections import deque
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
from agent.call.voices.voice_feed import Audio, VoiceFeed, silence
from stt_assemblyai.events import LateFormat

_REMEMBERED_TURNS = 4

log = logging.getLogger(__name__)


class Speaker:
    """One STT stream for one participant, across all tracks that the voice comes from.

    A muted microphone keeps its stream, because a new session for each click would use up the
    account's limit. The stream ends its session after `ASSEMBLYAI_IDLE_SECONDS` without audio.
    """

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        recogniser: stt.STT[Any],
        *,
        open_audio: Callable[[rtc.Track], Audio],
        on_event: Callable[[stt.SpeechEvent], None],
        on_frame: Callable[[rtc.AudioFrame | None], None] = lambda _: None,
    ) -> None:
        """`on_event` gets each speech event before it is on screens; `on_frame` gets each frame,
        and None when the voice ends for now."""
        self.identity = identity
        self._room = room
        self._is_heard = False
        self._on_event = on_event
        self._on_frame = on_frame
        self._stream = recogniser.stream()
        self._feed = VoiceFeed(
            room,
            identity,
            self._push,
            hears_muted=False,
            open_audio=open_audio,
            on_end=self._end_turn,
        )
        self._ending = asyncio.Event()
        self._segment_id = utils.shortuuid("SG_")
        self._shown: deque[tuple[str, str, dict[str, str]]] = deque(maxlen=_REMEMBERED_TURNS)
        self._late: deque[LateFormat] = deque(maxlen=_REMEMBERED_TURNS)

    def close(self) -> None:
        """The voice ends here. Its last words are still to come."""
        self._ending.set()

    async def run(self) -> None:
        """Publish from the first word to the last. Raises `APIError` of the STT."""
        async with self._stream as stream, asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            async for event in stream:
                self._on_event(event)
                await self._publish(event)
            listening.cancel()

    async def show_formatted(self, late: LateFormat) -> None:
        """Show the formatted text in place of the plain one, if that is this speaker's: now, or
        right after the plain one."""
        self._late.append(late)
        for session_id, text, attributes in list(self._shown):
            if (session_id, text) == (late.transcript.session_id, late.replaces):
                self._late.remove(late)
                await self._show(late.transcript.text, attributes)
                return

    async def _listen(self) -> None:
        try:
            await self._ending.wait()
        finally:
            await self._feed.aclose()
            with contextlib.suppress(RuntimeError):  # the stream has failed, and `run` raises why
                self._stream.end_input()

    def _push(self, frame: rtc.AudioFrame) -> None:
        if not self._is_heard:
            self._is_heard = True
            log.info("a participant is heard", extra=caller_fields(self.identity))
        # A stream that has failed takes no more audio. `run` raises why.
        with contextlib.suppress(RuntimeError):
            self._stream.push_frame(frame)
        self._on_frame(frame)

    def _end_turn(self) -> None:
        """End the open turn: without audio it would wait for a silence that never comes."""
        with contextlib.suppress(RuntimeError):
            self._stream.push_frame(silence())
            self._stream.flush()
        self._on_frame(None)

    async def _publish(self, event: stt.SpeechEvent) -> None:
        """Publish the turn so far, or the whole of it, as a session would."""
        if not event.alternatives or not event.alternatives[0].text:
            return
        text = event.alternatives[0].text
        is_final = event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
        attributes = {
            ATTRIBUTE_TRANSCRIPTION_FINAL: str(is_final).lower(),
            ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: self._segment_id,
            ATTRIBUTE_TRANSCRIPTION_TRACK_ID: self._feed.track_sid,
        }
        await self._show(text, attributes)
        if is_final:
            self._segment_id = utils.shortuuid("SG_")
            self._shown.append((event.request_id, text, attributes))
            for late in list(self._late):
                self._late.remove(late)
                await self.show_formatted(late)

    async def _show(self, text: str, attributes: dict[str, str]) -> None:
        if not self._room.isconnected():  # nobody is left to read it
            return
        with contextlib.suppress(ConnectionError):
            writer = await self._room.local_participant.stream_text(
                topic=TOPIC_TRANSCRIPTION, sender_identity=self.identity, attributes=attributes
            )
            await writer.write(text)
            await writer.aclose()
