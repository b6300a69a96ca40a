"""A stream of audio in, speech events out: the life of a stream from its first sample to its end.

`push`, `flush`, `update` and `end_input` may be called at any time; `run` does the work and is
given to exactly one task. It returns when the input has ended and the last words have come, and
raises an `AssemblyAIError` when the service cannot be used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from stt_assemblyai.audio import Tape
from stt_assemblyai.client import Closed, Socket
from stt_assemblyai.errors import AssemblyAIError, ConfigurationError, NetworkError
from stt_assemblyai.messages import ClientMessage, ForceEndpoint, Terminate, UpdateConfiguration
from stt_assemblyai.options import U3, SessionOptions
from stt_assemblyai.protocol import Ended, Event, Failed, Heard, Noticed, Opened, Session, State
from stt_assemblyai.speech import SpeechEvent
from stt_assemblyai.turns import TurnMapper

__all__ = ["Dial", "Timing", "Transcriber"]

logger = logging.getLogger("stt_assemblyai")

Dial = Callable[[str], contextlib.AbstractAsyncContextManager[Socket]]
"""Opens a connection for a session's query; see `client.connect`."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait for what, in the unit that each name says."""

    chunk_ms: int = 50
    begin_timeout_seconds: float = 10.0
    termination_timeout_seconds: float = 5.0
    wait_for_formatted_ms: int = 300
    keep_seconds: float = 60.0


class Transcriber:
    """One stream. `on_event` is called with every event, in order, and must not wait."""

    def __init__(
        self,
        dial: Dial,
        options: SessionOptions,
        on_event: Callable[[SpeechEvent | Opened | Ended | Noticed], None],
        *,
        timing: Timing = Timing(),
    ) -> None:
        if options.encoding not in ("pcm_s16le", "pcm_mulaw"):
            raise ConfigurationError(
                f"Audio that comes as PCM cannot be sent as {options.encoding}",
                remedy="Set encoding to pcm_s16le or pcm_mulaw.",
            )
        self._dial = dial
        self._options = options
        self._on_event = on_event
        self._timing = timing
        self._tape = Tape(
            options.sample_rate, chunk_ms=timing.chunk_ms, keep_seconds=timing.keep_seconds
        )
        self._said: deque[tuple[int, ClientMessage]] = deque()  # by position, not sent yet
        self._input_ended = False
        self._stirred = asyncio.Event()  # something to send, or a new state
        self.session_id: str | None = None
        self.expires_at: int | None = None

    @property
    def options(self) -> SessionOptions:
        """What the current session is asked for, with all updates."""
        return self._options

    @property
    def audio_ms(self) -> int:
        """How much audio has been pushed."""
        return self._tape.milliseconds(self._tape.end)

    def push(self, pcm: bytes | memoryview) -> None:
        """Add audio: PCM, 16 bit, mono, at the options' sample rate."""
        self._tape.append(pcm)
        self._stirred.set()

    def flush(self) -> None:
        """End the open turn at this point of the audio."""
        self._say(ForceEndpoint())

    def update(self, options: SessionOptions) -> None:
        """Change options of the open session.

        Raises `ConfigurationError` naming each change that would need a new session.
        """
        changes = self._options.changes(options)
        self._options = options
        if changes:
            self._say(UpdateConfiguration(changes))

    def end_input(self) -> None:
        """No more audio will come."""
        self._input_ended = True
        self._stirred.set()

    async def run(self) -> None:
        """Do the work. Cancelling it still ends the session properly, within a bounded time."""
        async with self._dial(self._options.query()) as socket:
            error = await _Leg(self, socket).run()
        if error is not None:
            raise error

    def _say(self, message: ClientMessage) -> None:
        self._said.append((self._tape.end, message))
        self._stirred.set()


class _Leg:
    """One session of a stream, on one socket."""

    def __init__(self, stream: Transcriber, socket: Socket) -> None:
        self._stream = stream
        self._timing = stream._timing
        self._tape = stream._tape
        self._socket = socket
        self._session = Session(stream._options)
        self._mapper = TurnMapper(
            expect_twin=bool(stream._options.effective().get("format_turns")),
            wait_seconds=self._timing.wait_for_formatted_ms / 1000,
            eager_confidence=0.4 if stream._options.speech_model in U3 else None,
        )
        self._sent_until = self._tape.start
        self._error: AssemblyAIError | None = None

    async def run(self) -> AssemblyAIError | None:
        """Until the session is over; gives the error that ended it, if one did."""
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send())
                await self._receive()
                sender.cancel()
        except asyncio.CancelledError:
            await self._farewell()
            raise
        finally:
            self._emit(*self._mapper.close())
        return self._error

    async def _receive(self) -> None:
        begin_deadline = asyncio.get_running_loop().time() + self._timing.begin_timeout_seconds
        while not self._session.over:
            opening = self._session.state is State.OPENING
            try:
                async with asyncio.timeout_at(begin_deadline if opening else self._mapper.deadline):
                    frame = await self._socket.receive()
            except TimeoutError:
                self._emit(*self._mapper.expire(asyncio.get_running_loop().time()))
                if opening:
                    self._judge(self._session.fail(NetworkError("The session did not begin")))
            except Closed as closed:
                self._judge(self._session.receive_close(closed.code, closed.reason))
            else:
                self._judge(self._session.receive(frame))

    def _judge(self, event: Event | None) -> None:
        match event:
            case Opened():
                self._stream.session_id = event.session_id
                self._stream.expires_at = event.expires_at
                self._mapper.session_id = event.session_id
                self._report_opened(event)
                self._stream._stirred.set()
                self._emit(event)
            case Heard():
                self._emit(*self._mapper.receive(event.message, asyncio.get_running_loop().time()))
            case Failed():
                self._error = event.error
            case Ended() | Noticed():
                self._emit(event)
            case None:
                pass

    def _report_opened(self, event: Opened) -> None:
        logger.info("AssemblyAI session opened", extra={"session_id": event.session_id})
        if event.mismatches:
            logger.warning(
                "AssemblyAI session differs from what was asked",
                extra={"session_id": event.session_id, "mismatches": event.mismatches},
            )

    async def _send(self) -> None:
        """Everything that is due, until Terminate; then a bounded wait for the last words."""
        with contextlib.suppress(Closed):  # the receiver learns of it, too, and judges it
            while self._session.writable:
                self._stream._stirred.clear()
                if not await self._send_due():
                    await self._stream._stirred.wait()
            await asyncio.sleep(self._timing.termination_timeout_seconds)
            await self._socket.close()

    async def _send_due(self) -> bool:
        """Send one frame, if one is due."""
        chunk = self._tape.chunk(self._sent_until)
        open_ = self._session.state is State.OPEN  # messages wait for Begin; audio need not
        said = self._stream._said
        if open_ and said and said[0][0] < self._sent_until + self._tape.chunk_bytes:
            await self._socket.send(self._session.say(said.popleft()[1]))
        elif chunk is not None:
            await self._send_audio(chunk)
        elif open_ and self._stream._input_ended:
            if tail := self._tape.tail(self._sent_until):
                await self._send_audio(tail)
            await self._socket.send(self._session.say(Terminate()))
        else:
            return False
        return True

    async def _send_audio(self, pcm: bytes) -> None:
        self._sent_until += len(pcm)
        await self._socket.send(self._session.audio(pcm))

    async def _farewell(self) -> None:
        """Cancelled in mid-session: the last words still count, and so does the bill."""
        with contextlib.suppress(Closed, TimeoutError):
            async with asyncio.timeout(self._timing.termination_timeout_seconds):
                if self._session.state is State.OPEN:
                    await self._socket.send(self._session.say(Terminate()))
                    await self._receive()

    def _emit(self, *events: SpeechEvent | Opened | Ended | Noticed) -> None:
        for event in events:
            self._stream._on_event(event)
