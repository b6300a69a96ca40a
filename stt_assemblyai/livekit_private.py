"""LiveKit's private parts: each that the adapter uses, why, and nowhere else in this package.

No public way leads to what is used here. A release of LiveKit may rename any of it without notice:
tests/stt_assemblyai/test_livekit_private.py then fails, and says which feature breaks.
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
    """Learns what a session knows. LiveKit's session calls two methods, and its base class does
    nothing in them but warn; the plugins that LiveKit ships override them as well."""

    @abstractmethod
    def hear_keyterms(self, keyterms: list[str]) -> None:
        """The session's own list of terms has changed: this is the whole of it."""

    @abstractmethod
    def hear_item(self, event: ConversationItemAddedEvent) -> None:
        """Something was added to the conversation."""

    def _update_session_keyterms(self, keyterms: list[str]) -> None:
        self.hear_keyterms(keyterms)

    def _push_conversation_item(self, ev: ConversationItemAddedEvent) -> None:
        self.hear_item(ev)


class DirectStream(stt.RecognizeStream):
    """LiveKit's stream without the tasks between it and us.

    The base class hands each frame and each event through channels with a task at their end: it
    wakes one for every frame, and two for every event. Nothing public goes past them.
    """

    def __init__(
        self, owner: stt.STT[Any], conn_options: APIConnectOptions, sample_rate: int
    ) -> None:
        self._usage: aio.Chan[stt.SpeechEvent] = aio.Chan()
        super().__init__(stt=owner, conn_options=conn_options, sample_rate=sample_rate)
        self._event_aiter = self._event_ch  # LiveKit's tee wakes two tasks for every event
        self._task.add_done_callback(lambda _: self._usage.close())

    def give(self, event: stt.SpeechEvent) -> None:
        """Have the session hear of this."""
        self._event_ch.send_nowait(event)

    def give_usage(self, event: stt.SpeechEvent) -> None:
        """Have the session and LiveKit's metrics hear of this."""
        self._event_ch.send_nowait(event)
        self._usage.send_nowait(event)

    @property
    def takes_input(self) -> bool:
        """Whether neither the input has been ended nor the stream closed."""
        return not (self._input_ch.closed or self._event_ch.closed)

    def require_input(self) -> None:
        """Raise RuntimeError, in LiveKit's words, unless it takes input."""
        self._check_input_not_ended()
        self._check_not_closed()

    def close_input(self) -> None:
        """From now on LiveKit refuses more input."""
        self._input_ch.close()

    async def wait_for_end(self, timeout_seconds: float) -> None:
        """Return when the stream has ended by itself, or after this time."""
        if not self._task.done():
            await asyncio.wait([self._task], timeout=timeout_seconds)

    def report_opening(self, seconds: float) -> None:
        """Have LiveKit's metrics know how long it took to open a session."""
        self._report_connection_acquired(seconds, connection_reused=False)

    async def _metrics_monitor_task(self, event_aiter: AsyncIterable[stt.SpeechEvent]) -> None:
        """LiveKit's own, which needs to see none but usage."""
        await super()._metrics_monitor_task(self._usage)
