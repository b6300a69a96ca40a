"""The socket shell of one session: reads, processes, writes, and keeps the time limits."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable

from aiohttp import WSMsgType, web

from workbench.loopback.assemblyai_v3 import messages
from workbench.loopback.assemblyai_v3.hearing import Recognizer
from workbench.loopback.assemblyai_v3.knobs import Fault, Knobs
from workbench.loopback.assemblyai_v3.messages import Message
from workbench.loopback.assemblyai_v3.outputs import Close, Fail, Output, Send, TurnEnd
from workbench.loopback.assemblyai_v3.parameters import Parameters
from workbench.loopback.assemblyai_v3.record import SessionRecord
from workbench.loopback.assemblyai_v3.session import Session


class _Over(Exception):  # noqa: N818 (no error: the session's last word was said)
    """Ends the group of tasks."""


class Connection:
    """One WebSocket from Begin on. `run` returns when the connection is over."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        record: SessionRecord,
        knobs: Knobs,
        fault: Fault,
    ) -> None:
        self.fault = fault
        self._socket = socket
        self._transport = transport
        self._record = record
        self._knobs = knobs
        self._incoming: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._outgoing: asyncio.Queue[tuple[float, Output]] = asyncio.Queue()
        self._due = 0.0
        self._opened = time.monotonic()
        self._last_message = self._opened
        self._backlog_ms = 0.0

    async def run(
        self,
        parameters: Parameters,
        make_recognizer: Callable[[Parameters], Recognizer],
        api_version: str,
        cap_seconds: float,
        *,
        in_thread: bool,
    ) -> None:
        """From Begin to the close."""
        session = Session(parameters, make_recognizer(parameters), self._knobs, self.fault)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write())
                group.create_task(self._read(session))
                await self._begin(parameters, api_version, cap_seconds)
                group.create_task(self._process(session, in_thread=in_thread))
                group.create_task(self._expire(cap_seconds))
                if parameters.inactivity_timeout is not None:
                    group.create_task(self._watch(parameters.inactivity_timeout))
                group.create_task(self._beat(session))
        except* _Over:
            pass

    async def reject(self, fail: Fail) -> None:
        """Error instead of Begin."""
        await self._finish(fail)

    async def _begin(self, parameters: Parameters, api_version: str, cap_seconds: float) -> None:
        fault_ms = self.fault.begin_delay_ms
        await asyncio.sleep((self._knobs.begin_delay_ms if fault_ms is None else fault_ms) / 1000)
        if self.fault.never_begin:
            await asyncio.Event().wait()
        self._record.session_id = str(uuid.uuid4())
        configuration = {**parameters.echo, "api_version": api_version}
        expires_at = int(time.time() + cap_seconds)
        self._put(Send(messages.begin(self._record.session_id, expires_at, configuration)))

    async def _read(self, session: Session) -> None:
        async for message in self._socket:
            self._last_message = time.monotonic()
            if message.type is WSMsgType.BINARY:
                self._record.audio_bytes += len(message.data)
                self._backlog_ms += session.duration_ms(message.data)
                self._incoming.put_nowait(message.data)
                if self._backlog_ms > self._knobs.max_backlog_seconds * 1000:
                    text = "audio transmission rate exceeded: too much audio buffered"
                    self._put(Fail(3007, text))
            elif message.type is WSMsgType.TEXT:
                self._incoming.put_nowait(message.data)
        raise _Over

    async def _process(self, session: Session, *, in_thread: bool) -> None:
        """Everything the client said, in its order, on one thread at a time."""
        while True:
            item = await self._incoming.get()
            if isinstance(item, str):
                self._note(item)
                outputs: Iterable[Output] = session.accept_text(item, self._session_seconds)
            else:
                await self._throttle(session)
                duration_ms = session.duration_ms(item)
                self._backlog_ms -= duration_ms
                self._record.frame_durations_ms[round(duration_ms, 2)] += 1
                outputs = session.accept_audio(item)
            if in_thread:
                outputs = await asyncio.to_thread(list, outputs)
            for output in outputs:
                self._put(output)
            self._record.audio_ms = session.audio_ms
            await self._break(session.audio_ms)

    def _note(self, text: str) -> None:
        try:
            message = messages.parse(text)
        except ValueError:
            message = {"type": None}
        self._record.received.append(message)

    async def _throttle(self, session: Session) -> None:
        if self._knobs.throttle is None:
            return
        allowed_ms = (time.monotonic() - self._opened) * 1000 * self._knobs.throttle
        ahead_ms = session.audio_ms - allowed_ms - self._knobs.throttle_burst_ms
        if ahead_ms > 0:
            await asyncio.sleep(ahead_ms / 1000 / self._knobs.throttle)

    async def _break(self, audio_ms: float) -> None:
        """The faults that belong to an audio time."""
        fault = self.fault
        if fault.drop_at_ms is not None and audio_ms >= fault.drop_at_ms:
            self.drop()
            raise _Over
        if fault.half_open_at_ms is not None and audio_ms >= fault.half_open_at_ms:
            if isinstance(self._transport, asyncio.Transport):
                self._transport.pause_reading()
            self._due = float("inf")
            await asyncio.Event().wait()
        if fault.error_at_ms is not None and audio_ms >= fault.error_at_ms:
            self._put(Fail(*fault.error))

    def drop(self) -> None:
        """Break the TCP connection off, with no close frame."""
        if self._transport is not None:
            self._transport.abort()

    def _put(self, output: Output) -> None:
        """Decided now; written in order, each in its own time."""
        delay_ms = output.delay_ms if isinstance(output, Send) else 0
        self._due = max(self._due, time.monotonic() + delay_ms / 1000)
        if self._due != float("inf"):
            self._outgoing.put_nowait((self._due, output))

    async def _write(self) -> None:
        while True:
            due, output = await self._outgoing.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self._due == float("inf"):
                await asyncio.Event().wait()
            match output:
                case Send(message):
                    await self._send(message)
                case Fail() | Close():
                    await self._finish(output)
                    raise _Over
                case TurnEnd():
                    pass

    async def _send(self, message: Message) -> None:
        message = {**message, **self.fault.extra_fields}
        self._record.sent.append(message)
        try:
            await self._socket.send_json(message)
        except ConnectionError:
            raise _Over from None

    async def _finish(self, output: Fail | Close) -> None:
        if isinstance(output, Close):
            await self._close(output.code, output.reason)
        elif self.fault.close_without_error_frame:
            await self._close(output.code, "")
        else:
            await self._send(messages.error(output.code, output.text))
            await self._close(output.code, messages.ABNORMAL_REASON)

    async def _close(self, code: int, reason: str) -> None:
        self._record.close_code = code
        await self._socket.close(code=code, message=reason.encode())

    async def _expire(self, cap_seconds: float) -> None:
        await asyncio.sleep(cap_seconds)
        self._put(Fail(3008, "Session Expired: Maximum session duration exceeded"))

    async def _watch(self, timeout_seconds: float) -> None:
        while (idle := time.monotonic() - self._last_message) < timeout_seconds:  # noqa: ASYNC110
            await asyncio.sleep(timeout_seconds - idle)
        text = f"No messages received for {timeout_seconds} seconds"
        self._put(Fail(3006, f"Session terminated due to inactivity: {text}"))

    async def _beat(self, session: Session) -> None:
        """Section 7.7; switched on and off while the session runs."""
        while True:
            await asyncio.sleep(self._knobs.heartbeat_seconds)
            if session.parameters.session_heartbeat:
                audio_ms = self._record.audio_ms + self._backlog_ms
                total_ms = self._session_seconds * 1000
                beat = {
                    "type": "Heartbeat",
                    "total_audio_received_ms": int(audio_ms),
                    "total_duration_ms": int(total_ms),
                    "realtime_factor": round(audio_ms / total_ms, 2),
                    "max_speech_probability": 0.02,
                }
                self._put(Send(beat))

    @property
    def _session_seconds(self) -> float:
        return time.monotonic() - self._opened
