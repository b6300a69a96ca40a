"""The socket shell of one session: reads, processes, writes, and keeps the time limits.

Open -> over, or open -> half-open (nothing is read, nothing is sent, TCP stays). Leaving "open"
means to leave the group of tasks, by one of the two exceptions below.
"""

import asyncio
import random
import time
import uuid

from aiohttp import WSMsgType, web

from workbench.standins.assemblyai_v3 import messages
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.messages import Message
from workbench.standins.assemblyai_v3.models import NOT_ENTITLED
from workbench.standins.assemblyai_v3.outputs import Close, Fail, Output, Send, TurnEnd
from workbench.standins.assemblyai_v3.record import SessionRecord
from workbench.standins.assemblyai_v3.session import Session
from workbench.standins.assemblyai_v3.throttle import Throttle

EXPIRED = Fail(3008, "Session Expired: Maximum session duration exceeded")
TOO_FAST = Fail(3007, "audio transmission rate exceeded: too much audio buffered")
CANCELLED = Fail(3005, "Session Cancelled: An error occurred")

LATE_MS = 300
"""So much audio may wait before partial transcripts are left out to catch up."""


class _Over(Exception):  # noqa: N818 (no error: the session's last word was said)
    """The connection is closed."""


class _HalfOpen(Exception):  # noqa: N818  no error
    """A fault has it that the network dies without a sign."""


class Connection:
    """One WebSocket after its upgrade."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        record: SessionRecord,
        knobs: Knobs,
    ) -> None:
        self.record = record
        self._socket = socket
        self._transport = request.transport
        self._knobs = knobs
        self._session: Session | None = None
        self._incoming: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._outgoing: asyncio.Queue[tuple[float, Output]] = asyncio.Queue()
        self._last_due = 0.0
        self._opened = time.monotonic()
        self._last_message = self._opened
        self._received_ms = 0.0
        self._chance = random.Random(0)
        self._throttle = Throttle(knobs.throttle, knobs.throttle_burst_ms, self._opened)

    async def reject(self, fail: Fail, fault: Fault) -> None:
        """Error instead of Begin."""
        await asyncio.sleep(self._knobs.reject_delay_ms / 1000)
        await self._fail(fail, fault)

    async def run(
        self, session: Session, api_version: str, cap_seconds: float, *, in_thread: bool
    ) -> None:
        """From Begin to the close; returns when the connection is over."""
        self._session = session
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write(session))
                group.create_task(self._read(session))
                await self._begin(session, api_version, cap_seconds)
                group.create_task(self._process(session, in_thread=in_thread))
                group.create_task(self._later(cap_seconds, EXPIRED))
                if session.parameters.speech_model in NOT_ENTITLED:
                    delay_seconds = self._knobs.not_entitled_after_seconds
                    group.create_task(self._later(delay_seconds, CANCELLED))
                if session.parameters.inactivity_timeout is not None:
                    group.create_task(self._watch(session.parameters.inactivity_timeout))
                group.create_task(self._beat(session))
        except* _Over:
            pass
        except* _HalfOpen:
            if isinstance(self._transport, asyncio.ReadTransport):
                self._transport.pause_reading()
            await asyncio.Event().wait()

    def set_fault(self, fault: Fault) -> None:
        """For a session that is already open."""
        if self._session is not None:
            self._session.set_fault(fault)

    def send(self, message: Message) -> None:
        """Send this too, now."""
        self._put(Send(message))

    def drop(self) -> None:
        """Break the TCP connection off, with no close frame."""
        if self._transport is not None:
            self._transport.abort()

    async def _begin(self, session: Session, api_version: str, cap_seconds: float) -> None:
        delay_ms = session.fault.begin_delay_ms
        await asyncio.sleep((self._knobs.begin_delay_ms if delay_ms is None else delay_ms) / 1000)
        if session.fault.never_begin:
            await asyncio.Event().wait()
        self.record.session_id = str(uuid.uuid4())
        configuration = {**session.parameters.echo, "api_version": api_version}
        expires_at = int(time.time() + cap_seconds)
        self.send(messages.begin(self.record.session_id, expires_at, configuration))

    async def _read(self, session: Session) -> None:
        """Everything at once, whatever the speed of the rest."""
        async for message in self._socket:
            self._last_message = time.monotonic()
            if message.type is WSMsgType.BINARY:
                self.record.audio_bytes += len(message.data)
                duration_ms = session.duration_ms(message.data)
                self._received_ms += duration_ms
                self.record.frame_durations_ms[round(duration_ms, 2)] += 1
                if self._received_ms - session.audio_ms > self._knobs.max_backlog_seconds * 1000:
                    self._put(TOO_FAST)
            elif message.type is WSMsgType.TEXT:
                self.record.received.append(_read_type(message.data))
            self._incoming.put_nowait(message.data)
            self.record.touch()
        raise _Over

    async def _process(self, session: Session, *, in_thread: bool) -> None:
        """What the client said, in its order."""
        while True:
            item = await self._incoming.get()
            if isinstance(item, str):
                outputs = session.accept_text(item, self._session_seconds)
            else:
                duration_ms = session.duration_ms(item)
                wait_seconds = self._throttle.wait_seconds(duration_ms, time.monotonic())
                await asyncio.sleep(wait_seconds)
                waiting_ms = self._received_ms - session.audio_ms - duration_ms
                outputs = session.accept_audio(item, is_late=waiting_ms > LATE_MS)
            for output in await asyncio.to_thread(list, outputs) if in_thread else outputs:
                self._put(output)
            self.record.audio_ms = session.audio_ms
            self.record.touch()
            await self._break(session)

    async def _break(self, session: Session) -> None:
        """The faults of the network, when their audio time has come."""
        fault = session.fault
        is_dropped = fault.drop_at_ms is not None and session.audio_ms >= fault.drop_at_ms
        is_dead = fault.half_open_at_ms is not None and session.audio_ms >= fault.half_open_at_ms
        if (is_dropped or is_dead) and self._last_due <= time.monotonic():
            await self._outgoing.join()  # what was due before is still delivered
        if is_dropped:
            self.drop()
            raise _Over
        if is_dead:
            raise _HalfOpen

    def _put(self, output: Output) -> None:
        """Decided now; written in order, each in its own time."""
        delay_ms = output.delay_ms if isinstance(output, Send) else 0
        if isinstance(output, Send) and output.message.get("type") == "Turn":
            jitter_ms = self._chance.uniform(0, self._knobs.transcript_jitter_ms)
            delay_ms += self._knobs.transcript_delay_ms + jitter_ms
        self._last_due = max(self._last_due, time.monotonic() + delay_ms / 1000)
        self._outgoing.put_nowait((self._last_due, output))

    async def _write(self, session: Session) -> None:
        while True:
            due, output = await self._outgoing.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            match output:
                case Send(message):
                    await self._send(session.fault.applied_to(message))
                    self._outgoing.task_done()
                case Fail():
                    await self._fail(output, session.fault)
                    raise _Over
                case Close(code, reason):
                    await self._close(code, reason)
                    raise _Over
                case TurnEnd():
                    pass

    async def _send(self, message: Message) -> None:
        try:
            await self._socket.send_json(message)
        except ConnectionError:
            raise _Over from None
        self.record.sent.append(message)
        self.record.sent_at.append(time.monotonic())
        self.record.touch()

    async def _fail(self, fail: Fail, fault: Fault) -> None:
        if fault.close_without_error_frame:
            await self._close(fail.code, "")
        else:
            await self._send(messages.error(fail.code, fail.text))
            await self._close(fail.code, messages.ABNORMAL_REASON)

    async def _close(self, code: int, reason: str) -> None:
        self.record.close_code = code
        await self._socket.close(code=code, message=reason.encode())

    async def _later(self, seconds: float, output: Output) -> None:
        await asyncio.sleep(seconds)
        self._put(output)

    async def _watch(self, timeout_seconds: int) -> None:
        """Section 12.3: any message resets it."""
        limit_seconds = timeout_seconds * self._knobs.inactivity_unit_seconds
        idle_seconds = 0.0
        while idle_seconds < limit_seconds:
            await asyncio.sleep(limit_seconds - idle_seconds)
            idle_seconds = time.monotonic() - self._last_message
        text = f"No messages received for {timeout_seconds} seconds"
        self._put(Fail(3006, f"Session terminated due to inactivity: {text}"))

    async def _beat(self, session: Session) -> None:
        while True:
            await asyncio.sleep(self._knobs.heartbeat_seconds)
            for output in session.heartbeat(self._session_seconds, self._received_ms):
                self._put(output)

    @property
    def _session_seconds(self) -> float:
        return time.monotonic() - self._opened


def _read_type(text: str) -> Message:
    try:
        return messages.parse(text)
    except ValueError:
        return {"type": None}
