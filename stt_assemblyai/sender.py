"""Sends one session's audio, live or at the pace of a replay, with messages in their places.

If live audio stops in mid-turn, silence stands in for it until the turn ends (protocol notes,
section 6). If it stops between turns, the session ends after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.client import Closed, PromptSocket, Socket
from stt_assemblyai.inbox import Inbox, Outlet
from stt_assemblyai.messages import ClientMessage, Terminate
from stt_assemblyai.pace import Pacer
from stt_assemblyai.protocol import Session, State
from stt_assemblyai.timing import Timing

__all__ = ["Sender"]


class Sender:
    """Sends the stream from `from_ms` on; `run` it once.

    `in_turn` says whether a turn is open, `in_charge` whether this session is the active one,
    `longest_silence_ms` how much silence ends any turn. `on_audio` gets the position in ms and the
    samples of what was sent; for stand-in silence, no samples. `idle` is set once the session is
    ended because no audio came.
    """

    def __init__(
        self,
        socket: Socket,
        session: Session,
        inbox: Inbox,
        outlet: Outlet,
        clock: AudioClock,
        timing: Timing,
        *,
        from_ms: float,
        longest_silence_ms: Callable[[], int],
        in_charge: Callable[[], bool],
        in_turn: Callable[[], bool],
        on_audio: Callable[[float, bytes], None],
    ) -> None:
        self._socket = socket
        self._prompt = socket if isinstance(socket, PromptSocket) else None
        self._session = session
        self._inbox = inbox
        self._outlet = outlet
        self._replay = inbox.replay
        self._clock = clock
        self._timing = timing
        self._pacer = Pacer(timing.replay_speed)
        self._position = max(self._replay.start, self._replay.position(from_ms))
        self._longest_silence_ms = longest_silence_ms
        self._in_charge = in_charge
        self._in_turn = in_turn
        self._on_audio = on_audio
        self._loop = asyncio.get_running_loop()
        self.idle = False

    @property
    def until_ms(self) -> float:
        """How far into the stream it has sent audio."""
        return self._replay.milliseconds(self._position)

    async def run(self) -> None:
        """Send everything that is due, until Terminate; then wait a bounded time for last words."""
        with contextlib.suppress(Closed):  # the receiver sees it too, and judges it
            while self._session.writable:
                self._outlet.stirred.clear()
                if not await self._send_due():
                    await self._wait_for_more()
            await asyncio.sleep(self._timing.termination_timeout_seconds)
            await self._socket.close()

    async def _send_due(self) -> bool:
        """Send one frame, if one is due."""
        self._position = max(self._position, self._replay.start)
        messages, is_open = self._outlet.messages, self._session.state is State.OPEN
        chunk = self._replay.chunk(self._position)
        if is_open and messages and messages[0][0] < self._position + self._replay.chunk_bytes:
            await self._transmit(messages.popleft()[1])
        elif chunk is not None:
            await self._send_audio(chunk)
        elif is_open and self._inbox.ended:  # Terminate waits for Begin; audio need not
            await self._finish()
        else:
            return False
        return True

    async def _send_audio(self, pcm: bytes) -> None:
        if delay := self._pacer.delay(self._loop.time()):
            await asyncio.sleep(delay)
        at_ms, duration_ms = self._record(pcm)
        await self._transmit(pcm)
        self._pacer.sent(self._loop.time(), duration_ms)
        self._on_audio(at_ms, pcm)

    def _send_now(self) -> bool:
        """Send what has become due, and return True; False if the sender task has to do it."""
        if self._prompt is None or not self._session.writable:
            return False
        if (
            self._outlet.messages or self._position < self._replay.start
        ):  # messages keep their place
            return False
        now = self._inbox.added_at
        # a chunk may lead to the end of the session, and then the next one is the next session's
        while self._session.writable and (chunk := self._replay.chunk(self._position)) is not None:
            if not self._pacer.ready(now):
                return False
            if not self._prompt.send_nowait(self._session.audio(chunk)):
                return False
            at_ms, duration_ms = self._record(chunk)
            self._pacer.sent(now, duration_ms)
            self._on_audio(at_ms, chunk)
        return True

    def _record(self, pcm: bytes) -> tuple[float, float]:
        """Note that a chunk goes out; return its position and its length in milliseconds."""
        at_ms, duration_ms = self.until_ms, self._replay.milliseconds(len(pcm))
        self._clock.sent(at_ms, duration_ms)
        self._position += len(pcm)
        return at_ms, duration_ms

    async def _finish(self) -> None:
        if tail := self._replay.tail(self._position):
            await self._send_audio(tail)
        await self._transmit(Terminate())

    async def _transmit(self, what: bytes | ClientMessage) -> None:
        """Send audio or a message. Raises `Closed` if the session is over before its connection."""
        if not self._session.writable:
            raise Closed(1006, "")
        session = self._session
        frame = session.audio(what) if isinstance(what, bytes) else session.say(what)
        await self._socket.send(frame)

    async def _wait_for_more(self) -> None:
        """Wait until the sender is needed; meanwhile live audio is sent without it."""
        self._outlet.send_now = self._send_now
        try:
            is_lacking = await self._audio_lacks()
        finally:
            self._outlet.send_now = None
        if is_lacking and self._in_turn():
            await self._send_silence()
        elif is_lacking:
            self.idle = True
            await self._finish()

    async def _audio_lacks(self) -> bool:
        """Wait until there is something to do; true if that is because audio is missing."""
        since, in_turn = self._loop.time(), self._in_turn()
        may_lack_seconds = self._may_lack_seconds()
        if may_lack_seconds is None:
            await self._outlet.stirred.wait()
            return False
        while (deadline := max(since, self._inbox.added_at) + may_lack_seconds) > self._loop.time():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._outlet.stirred.wait()
                return False
        return in_turn == self._in_turn()

    def _may_lack_seconds(self) -> float | None:
        """How long audio may be missing; None for ever. In mid-turn the turn would stay open for
        ever (section 6); between turns the session would be billed (section 14)."""
        if self._inbox.ended:
            return None
        if self._in_turn():
            return self._timing.mute_after_ms / 1000
        is_open = self._session.state is State.OPEN
        return self._timing.idle_seconds or None if is_open and self._in_charge() else None

    async def _send_silence(self) -> None:
        """Send silence in real time until audio comes again or the turn ends, but not for ever."""
        silence = bytes(self._replay.chunk_bytes)
        duration_ms = self._replay.milliseconds(len(silence))
        sent_ms = 0.0
        while self._in_turn() and sent_ms + duration_ms <= self._longest_silence_ms():
            if self._outlet.stirred.is_set():
                return
            sent_ms += duration_ms
            self._clock.sent_silence(duration_ms)
            await self._transmit(silence)
            self._on_audio(self.until_ms, b"")
            await asyncio.sleep(duration_ms / 1000)
