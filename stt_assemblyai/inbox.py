"""The send buffer: a stream's audio and messages, read by one session or by two that overlap."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from stt_assemblyai.audio import ReplayBuffer
from stt_assemblyai.messages import ClientMessage, UpdateConfiguration
from stt_assemblyai.service import SHORTEST_CHUNK_MS
from stt_assemblyai.timing import Timing

__all__ = ["Inbox", "Outlet"]

Messages = deque[tuple[int, ClientMessage]]
"""Each message with the position in the stream after which to send it."""


class Outlet:
    """One session's view of the buffer: its unsent `messages`, and what wakes its sender."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.stirred = asyncio.Event()  # there is something to send, or a reason to look again
        self.send_now: Callable[[], bool] | None = None  # set while the sender is waiting


class Inbox:
    """The stream's replay buffer, and the messages to send between its chunks."""

    def __init__(self, sample_rate: int, timing: Timing) -> None:
        self.replay = ReplayBuffer(
            sample_rate, chunk_ms=timing.chunk_ms, keep_seconds=timing.keep_seconds
        )
        self.ended = False
        self.added_at = -math.inf  # when the newest audio came, on the loop's clock
        self._loop = asyncio.get_running_loop()
        self._unsent: Messages = deque()  # the active session's, or nobody's yet
        self._outlets: list[Outlet] = []

    def add(self, pcm: bytes | memoryview) -> None:
        """Add audio, and send it from here: that costs half of waking a task for it."""
        self.replay.append(pcm)
        self.added_at = self._loop.time()
        for outlet in self._outlets:
            if outlet.send_now is None or not outlet.send_now():
                outlet.stirred.set()

    def say(self, message: ClientMessage) -> None:
        """Send this right after the audio that is here by now."""
        unsent = (self.replay.end, message)
        self._unsent.append(unsent)
        for outlet in self._outlets:
            if outlet.messages is not self._unsent:
                outlet.messages.append(unsent)
            outlet.stirred.set()

    def end(self) -> None:
        """No more audio will come."""
        self.ended = True
        for outlet in self._outlets:
            outlet.stirred.set()

    def open(self) -> Outlet:
        """An outlet for a new session; it has the newest options and needs no pending update."""
        outlet = Outlet(deque(m for m in self._unsent if not isinstance(m[1], UpdateConfiguration)))
        self._outlets.append(outlet)
        return outlet

    async def wait_for_audio(self, from_ms: float) -> bool:
        """Wait until there is a chunk to send from here on, or none will come. True if there is
        enough for a message."""
        start = self.replay.position(from_ms)
        enough = start + self.replay.chunk_bytes
        newcomer = Outlet(deque())
        self._outlets.append(newcomer)
        try:
            while self.replay.end < enough and not self.ended:
                newcomer.stirred.clear()
                await newcomer.stirred.wait()
        finally:
            self.close(newcomer)
        return self.replay.milliseconds(self.replay.end - start) >= SHORTEST_CHUNK_MS

    def put_in_charge(self, outlet: Outlet) -> None:
        """Make this session the active one: what it does not send is left to the next."""
        self._unsent = outlet.messages

    def close(self, outlet: Outlet) -> None:
        """The session sends no more."""
        if outlet in self._outlets:
            self._outlets.remove(outlet)
