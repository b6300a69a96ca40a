"""What a stream was given and has not sent yet, read by one session, or by two that overlap."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from stt_assemblyai.audio import Tape
from stt_assemblyai.messages import ClientMessage, UpdateConfiguration
from stt_assemblyai.timing import Timing

__all__ = ["Inbox", "Outlet"]

_SHORTEST_MESSAGE_MS = 50  # protocol notes, section 6

Messages = deque[tuple[int, ClientMessage]]
"""Each with the position on the tape behind which it is to be sent."""


class Outlet:
    """One session's place in the inbox: `messages` that it has not sent, and what wakes it."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.stirred = asyncio.Event()  # something new to send, or a reason to look again
        self.send_now: Callable[[], bool] | None = None  # set while the sender has nothing to do


class Inbox:
    """The stream's tape, and what is to be said in between."""

    def __init__(self, sample_rate: int, timing: Timing) -> None:
        self.tape = Tape(sample_rate, chunk_ms=timing.chunk_ms, keep_seconds=timing.keep_seconds)
        self.ended = False
        self.added_at = -math.inf  # on the loop's clock: the newest audio
        self._loop = asyncio.get_running_loop()
        self._unsent: Messages = deque()  # of the session in charge, or of nobody yet
        self._outlets: list[Outlet] = []

    def add(self, pcm: bytes | memoryview) -> None:
        """More audio. Sent from here it costs half of what it costs to wake a task for it."""
        self.tape.append(pcm)
        self.added_at = self._loop.time()
        for outlet in self._outlets:
            if outlet.send_now is None or not outlet.send_now():
                outlet.stirred.set()

    def say(self, message: ClientMessage) -> None:
        """To be sent right behind the audio that is here by now."""
        unsent = (self.tape.end, message)
        self._unsent.append(unsent)
        for outlet in self._outlets:
            if outlet.messages is not self._unsent:
                outlet.messages.append(unsent)
            outlet.stirred.set()

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        for outlet in self._outlets:
            outlet.stirred.set()

    def open(self) -> Outlet:
        """For a session that is opened with the newest options: no update is left to be said."""
        outlet = Outlet(deque(m for m in self._unsent if not isinstance(m[1], UpdateConfiguration)))
        self._outlets.append(outlet)
        return outlet

    async def wait_for_audio(self, from_ms: float) -> bool:
        """Until there is a chunk to send from here on, or none will come: whether there is enough
        for a message."""
        start = self.tape.position(from_ms)
        enough = start + self.tape.chunk_bytes
        newcomer = Outlet(deque())
        self._outlets.append(newcomer)
        try:
            while self.tape.end < enough and not self.ended:
                newcomer.stirred.clear()
                await newcomer.stirred.wait()
        finally:
            self.close(newcomer)
        return self.tape.milliseconds(self.tape.end - start) >= _SHORTEST_MESSAGE_MS

    def put_in_charge(self, outlet: Outlet) -> None:
        """What this session does not send is left to the next one."""
        self._unsent = outlet.messages

    def close(self, outlet: Outlet) -> None:
        """The session sends no more."""
        if outlet in self._outlets:
            self._outlets.remove(outlet)
