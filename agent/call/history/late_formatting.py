"""Puts a late formatted text in the place of its plain one: in the history, on screens, on record.

Sent as another FINAL, it would stop the reply that is being spoken and join the next turn.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from livekit.agents import (
    AgentSession,
    ChatMessage,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
)
from livekit.agents.types import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_TRANSCRIPTION,
)

from agent.call.history.marked import mark_of
from agent.call.voices.who_spoke import lines_of, set_lines
from agent.livekit_private import Segment, published_segment
from stt_assemblyai.events import LateFormat

log = logging.getLogger(__name__)

_SHOWN_WITHIN_SECONDS = 0.3  # LiveKit publishes a turn's plain text in this time
_REMEMBERED_TURNS = 4


class LateFormatting:
    """Changes events of a session. Call its methods before those that read the events
    (`agent.call.session_events`). `run` mends screens, in the order of turns.
    """

    def __init__(self, session: AgentSession[Any], tell: Callable[[str, str], None]) -> None:
        """`tell` is called with words that are in the history, and the text that replaces them."""
        self._session = session
        self._tell = tell
        self._shown: deque[str] = deque(maxlen=_REMEMBERED_TURNS)
        self._unshown: deque[LateFormat] = deque(maxlen=_REMEMBERED_TURNS)
        self._unsaid: deque[LateFormat] = deque(maxlen=_REMEMBERED_TURNS)
        self._screens: asyncio.Queue[LateFormat] = asyncio.Queue()

    def on_late_format(self, late: LateFormat) -> None:
        """Take a formatted text. It may come before the session has handled the plain one."""
        if late.replaces in self._shown:
            self._screens.put_nowait(late)
        else:
            self._unshown.append(late)
        if any(put_formatted(said, late) for said in self._last_said()):
            self._tell(late.replaces, late.transcript.text)
        else:
            self._unsaid.append(late)

    async def run(self) -> None:
        """Mend what people see, until cancelled."""
        while True:
            late = await self._screens.get()
            await asyncio.sleep(_SHOWN_WITHIN_SECONDS)
            segment = published_segment(self._session, late.replaces)
            if segment is not None:
                await self._show(segment, late.transcript.text)

    def on_words(self, event: UserInputTranscribedEvent) -> None:
        """The session has heard this: put the formatted text into the event if it is there."""
        if not event.is_final:
            return
        for late in list(self._unshown):
            if late.replaces == event.transcript:
                event.transcript = late.transcript.text
                self._unshown.remove(late)
        self._shown.append(event.transcript)

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        """The same for a message of the history."""
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            for late in list(self._unsaid):
                if put_formatted(event.item, late):
                    self._unsaid.remove(late)

    def _last_said(self) -> Iterator[ChatMessage]:
        """The caller's last turn, and what was said over the agent after it."""
        for item in reversed(self._session.history.items):
            if isinstance(item, ChatMessage) and item.role == "user":
                yield item
                if not mark_of(item):
                    return

    async def _show(self, segment: Segment, text: str) -> None:
        room = self._session.room_io.room
        try:
            writer = await room.local_participant.stream_text(
                topic=TOPIC_TRANSCRIPTION,
                sender_identity=segment.speaker,
                attributes=_attributes(segment),
            )
            await writer.write(text)
            await writer.aclose()
        except Exception as error:  # a closing room may raise anything
            log.info("a late formatted text could not be shown", extra={"error": str(error)})


def put_formatted(message: ChatMessage, late: LateFormat) -> bool:
    """Replace the plain text by the formatted one at the end of a message, or at the end of one
    speaker's line. Returns False if the plain text is not there."""
    lines = lines_of(message)
    for index in reversed(range(len(lines))):
        if f" {lines[index].text}".endswith(f" {late.replaces}"):
            kept = lines[index].text.removesuffix(late.replaces)
            lines[index] = replace(lines[index], text=kept + late.transcript.text)
            set_lines(message, lines)
            return True
    for index, part in enumerate(message.content):
        if isinstance(part, str) and f" {part}".endswith(f" {late.replaces}"):
            kept = part[: len(part) - len(late.replaces)]
            message.content[index] = kept + late.transcript.text
            return True
    return False


def _attributes(segment: Segment) -> dict[str, str]:
    attributes = {
        ATTRIBUTE_TRANSCRIPTION_FINAL: "true",
        ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: segment.id,
    }
    if segment.track_id:
        attributes[ATTRIBUTE_TRANSCRIPTION_TRACK_ID] = segment.track_id
    return attributes
