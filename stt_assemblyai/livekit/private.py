"""All of LiveKit's private parts that the adapter uses, each with the reason.

They have no public equivalent, and a LiveKit release may rename any of them without notice. Then
tests/stt_assemblyai/livekit/test_private.py fails and says which feature breaks.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterable
from typing import Any, TypeVar

from livekit.agents import APIConnectOptions, stt
from livekit.agents.utils import aio
from livekit.agents.voice.events import ConversationItemAddedEvent

TEvent = TypeVar("TEvent")


class InformedSTT(stt.STT[TEvent]):
    """Learns what a session knows. LiveKit's session calls two methods in which its base class only
    warns; LiveKit's own plugins override them too."""

    @abstractmethod
    def hear_keyterms(self, keyterms: list[str]) -> None:
        """The session's own list of terms has changed; this is the whole list."""

    @abstractmethod
    def hear_item(self, event: ConversationItemAddedEvent) -> None:
        """Something was added to the conversation."""

    def _update_session_keyterms(self, keyterms: list[str]) -> None:
        self.hear_keyterms(keyterms)

    def _push_conversation_item(self, ev: ConversationItemAddedEvent) -> None:
        self.hear_item(ev)


class DirectStream(stt.RecognizeStream):
    """LiveKit's stream without the tasks between it and us.

    The base class passes frames and events through channels: it wakes one task for every frame and
    two for every event. No public way avoids them.
    """

    def __init__(
        self, owner: stt.STT[Any], conn_options: APIConnectOptions, sample_rate: int
    ) -> None:
        self._usage: aio.Chan[stt.SpeechEvent] = aio.Chan()
        self.takes_input = True
        """Whether the input is still open, and the stream too: LiveKit asks two channels."""
        super().__init__(stt=owner, conn_options=conn_options, sample_rate=sample_rate)
        self._event_aiter = self._event_ch  # LiveKit's tee wakes two tasks for every event
        self._task.add_done_callback(self.has_ended)

    def give(self, event: stt.SpeechEvent) -> None:
        """Send this to the session."""
        self._event_ch.send_nowait(event)

    def give_usage(self, event: stt.SpeechEvent) -> None:
        """Send this to the session and to LiveKit's metrics."""
        self._event_ch.send_nowait(event)
        self._usage.send_nowait(event)

    def require_input(self) -> None:
        """Raise LiveKit's own RuntimeError unless it takes input."""
        self._check_input_not_ended()
        self._check_not_closed()

    def close_input(self) -> None:
        """Make LiveKit refuse more input."""
        self.takes_input = False
        self._input_ch.close()

    def has_ended(self, _: asyncio.Task[None]) -> None:
        """Take no more input: the stream is over."""
        self.takes_input = False
        self._usage.close()

    async def wait_for_end(self, timeout_seconds: float) -> None:
        """Return when the stream has ended by itself, or after the timeout."""
        if not self._task.done():
            await asyncio.wait([self._task], timeout=timeout_seconds)

    def report_opening(self, seconds: float) -> None:
        """Tell LiveKit's metrics how long it took to open a session."""
        self._report_connection_acquired(seconds, connection_reused=False)

    async def _metrics_monitor_task(self, event_aiter: AsyncIterable[stt.SpeechEvent]) -> None:
        """Run LiveKit's own task on usage events alone: it needs no others."""
        await super()._metrics_monitor_task(self._usage)
