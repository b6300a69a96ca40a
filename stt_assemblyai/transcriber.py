"""A stream of audio in, events out, over as many sessions as it takes.

`Stream` decides, and this carries it out: a task for each connection, one timer, one task group.
`push`, `flush`, `update`, `commit_now` and `end_input` may be called at any time; `run` does the
work. It returns when the input has ended and the last words have come, and raises an
`AssemblyAIError` when retrying cannot help or patience has run out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable

from stt_assemblyai import actions
from stt_assemblyai.actions import StreamConfig
from stt_assemblyai.attempt import Connection
from stt_assemblyai.client import Closed, Socket
from stt_assemblyai.connector import Connect
from stt_assemblyai.errors import AssemblyAIError, TransientError, fault_of
from stt_assemblyai.events import SessionUsage, StreamEvent
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.stream import Stream

__all__ = ["StreamConfig", "Transcriber"]

logger = logging.getLogger("stt_assemblyai")


class _Line:
    """One session's connection; the frames that it did not take at once are in the backlog."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.reader = task
        self.writer: asyncio.Task[None] | None = None
        self.socket: Socket | None = None
        self.backlog: deque[str | bytes] = deque()

    def send(self, frame: str | bytes) -> bool:
        """Whether the frame was sent at once."""
        if self.socket is not None and not self.backlog and self.socket.send_nowait(frame):
            return True
        self.backlog.append(frame)
        return False

    async def drain(self) -> None:
        """Send the backlog."""
        with contextlib.suppress(Closed):  # the reader sees it too
            while self.backlog and self.socket is not None:
                await self.socket.send(self.backlog[0])
                self.backlog.popleft()

    def close(self) -> None:
        self.reader.cancel()
        if self.writer is not None:
            self.writer.cancel()


class Transcriber:
    """One stream. It calls `on_event` with every event, in order; `on_event` must not wait.

    `retries` says how long to bear an outage: by default as `Patience` does, with random pauses.
    `wall` returns unix time, in which a session's expiry is given.
    """

    def __init__(
        self,
        connect: Connect,
        config: StreamConfig,
        on_event: Callable[[StreamEvent], None],
        *,
        retries: Retries | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._connect = connect
        self._on_event = on_event
        self._wall = wall
        self._stream = Stream(config, retries or Retries(Patience(), random.random))
        self._loop = asyncio.get_running_loop()
        self._tasks = asyncio.TaskGroup()
        self._lines: dict[int, _Line] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_acting = False
        self._over = asyncio.Event()
        self._fault: AssemblyAIError | None = None

    @property
    def options(self) -> SessionOptions:
        """The options of the next session, with all updates."""
        return self._stream.sessions.config.options

    @property
    def session_id(self) -> str | None:
        """The service's id of the current session, once it is open."""
        return self._stream.sessions.opened.session_id if self._stream.sessions.opened else None

    @property
    def expires_at(self) -> int | None:
        """When the current session expires, in unix seconds."""
        return self._stream.sessions.opened.expires_at if self._stream.sessions.opened else None

    @property
    def outage_since(self) -> float | None:
        """When the present outage began, on the event loop's clock; None without one."""
        return self._stream.sessions.retries.since

    @property
    def audio_ms(self) -> int:
        """How much audio has been pushed."""
        return int(self._stream.input.end_ms)

    @property
    def pushed_at(self) -> float:
        """When the newest audio was pushed, on the event loop's clock; before any, now."""
        at = self._stream.input.added_at
        return self._loop.time() if at == -math.inf else at

    @property
    def dropped_ms(self) -> int:
        """How much audio was dropped unheard, in outages longer than what is kept."""
        return self._stream.input.replay.dropped_ms

    @property
    def usage(self) -> list[SessionUsage]:
        """What the sessions that are over cost."""
        return self._stream.sessions.usage.sessions

    def push(self, pcm: bytes | memoryview) -> None:
        """Add audio: PCM, 16 bit, mono, at the options' sample rate."""
        if self._is_acting or not self._push_live(pcm):  # what is being done comes first
            self._tell(self._stream.push, pcm)

    def flush(self) -> None:
        """End the open turn at this point of the audio. If none is open, `NothingToEnd` follows:
        when all audio is sent, and a second later if it holds a voice that may become words."""
        self._tell(self._stream.flush)

    def commit_now(self) -> None:
        """The reply to the ended turn is ready: stop waiting for its formatted text."""
        self._tell(self._stream.commit_now)

    def update(self, options: SessionOptions) -> None:
        """Change options of the open session.

        Raises `ConfigurationError` naming each change that would need a new session, and then
        changes nothing.
        """
        self._tell(self._stream.update, options)

    def end_input(self) -> None:
        """No more audio will come."""
        self._tell(self._stream.end_input)

    def unreported_seconds(self) -> float:
        """Billed seconds since the last call; each second is given once."""
        return self._stream.sessions.usage.report(self._loop.time())

    async def run(self) -> None:
        """Do the work. When cancelled it still ends the session properly, in a bounded time."""
        try:
            async with self._tasks:
                self._tell(self._stream.start)
                try:
                    await self._over.wait()
                except asyncio.CancelledError:
                    self._tell(self._stream.stop)
                    await self._over.wait()
                    raise
        finally:
            self._tell(self._stream.abandon)
            if self._timer is not None:
                self._timer.cancel()
        if error := self._fault or self._stream.sessions.error:
            raise error

    def _push_live(self, pcm: bytes | memoryview) -> bool:
        """Whether there was nothing to do but to send it: the way of nearly all audio."""
        stream = self._stream
        try:
            frame = stream.push_live(pcm, self._loop.time())
        except Exception as error:  # our own: it ends the stream, and never reaches the caller
            self._fail(error)
            return False
        if frame is None:
            return False
        if frame:
            self._send(stream.live_key, frame)
        if stream.look_is_due:
            self._tell(stream.look)
        return True

    def _send(self, key: int, frame: str | bytes) -> None:
        line = self._lines[key]
        if not line.send(frame) and line.writer is None:
            line.writer = self._tasks.create_task(self._drain(key, line))

    def _tell(self, verb: Callable[..., object], *what: object, at: float = -math.inf) -> None:
        """Tell the stream something, and do what it wants done."""
        nearer: object = True
        now = max(self._loop.time(), at)
        try:
            for key, line in self._lines.items():
                if line.socket is not None:
                    self._stream.alive(key, line.socket.alive_at)
            nearer = verb(*what, now)
        except AssemblyAIError:  # by `update` alone, which then has changed nothing
            raise
        except Exception as error:  # our own: it ends the stream, and never reaches the caller
            self._fail(error)
        self._act()
        if nearer is not False:
            self._arm()

    def _act(self) -> None:
        """Carry out all actions in order, those too that follow from an action."""
        if self._is_acting:
            return
        self._is_acting = True
        try:
            while todo := self._stream.actions():
                for action in todo:
                    self._carry_out(action)
        finally:
            self._is_acting = False

    def _carry_out(self, action: actions.Action) -> None:
        match action:
            case actions.Send(key, frame):
                self._send(key, frame)
            case actions.Emit(event):
                self._emit(event)
            case actions.Connect(key, query):
                self._lines[key] = _Line(self._tasks.create_task(self._converse(key, query)))
            case actions.Close(key):
                self._lines.pop(key).close()

    def _arm(self) -> None:
        """One timer: it may ring too early, and is then set again; never too late."""
        if self._stream.over:
            self._over.set()
        deadline = self._stream.deadline()
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = None if deadline == math.inf else self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        assert self._timer is not None
        at, self._timer = self._timer.when(), None  # the loop may ring a tick early
        self._tell(self._stream.tick, at=at)

    async def _converse(self, key: int, query: str) -> None:
        """Connect, and pass on what comes, until the stream closes the line."""
        try:
            async with self._connect(query) as socket:
                self._lines[key].socket = socket
                host_ahead_seconds = self._wall() - self._loop.time()
                connection = Connection(socket.alive_at, socket.ahead_seconds, host_ahead_seconds)
                self._tell(self._stream.connected, key, connection)
                while True:
                    self._tell(self._stream.receive, key, await socket.receive())
        except Closed as closed:
            self._tell(self._stream.closed, key, closed.code, closed.reason)
        except AssemblyAIError as refusal:
            self._tell(self._stream.refused, key, refusal)
        except Exception as error:  # of our own: it costs this session, never the stream
            logger.warning("An AssemblyAI session failed", extra={"fault": fault_of(error)})
            failed = TransientError("The session failed here, not at the service")
            self._tell(self._stream.refused, key, failed)

    async def _drain(self, key: int, line: _Line) -> None:
        self._tell(self._stream.blocked, key)
        await line.drain()
        line.writer = None
        self._tell(self._stream.drained, key)

    def _emit(self, event: StreamEvent) -> None:
        try:
            self._on_event(event)
        except Exception as error:  # a listener's fault costs that event and nothing else
            fields = {"event": type(event).__name__, "fault": fault_of(error)}
            logger.warning("A listener of an AssemblyAI stream failed", extra=fields)

    def _fail(self, error: Exception) -> None:
        logger.error("An AssemblyAI stream failed", extra={"fault": fault_of(error)})
        self._fault = TransientError("The stream failed here, not at the service")
        with contextlib.suppress(Exception):  # its state may be such that it fails again
            self._stream.abandon(self._loop.time())
        self._over.set()
