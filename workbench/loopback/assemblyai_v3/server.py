"""The stand-in for AssemblyAI: an HTTP server with `/v3/ws` and `/v3/token`."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from workbench.loopback.assemblyai_v3.connection import Connection
from workbench.loopback.assemblyai_v3.heard import Ears, HeardRecognizer
from workbench.loopback.assemblyai_v3.hearing import Recognizer
from workbench.loopback.assemblyai_v3.knobs import NO_FAULT, Fault, Knobs
from workbench.loopback.assemblyai_v3.outputs import Fail
from workbench.loopback.assemblyai_v3.parameters import (
    InvalidParametersError,
    Parameters,
    from_query,
)
from workbench.loopback.assemblyai_v3.record import SessionRecord
from workbench.loopback.assemblyai_v3.scripted import ScriptedRecognizer, ScriptedWord
from workbench.loopback.assemblyai_v3.sound import SoundReader
from workbench.loopback.listening import Listener

LOCAL_KEY = "local-assemblyai-key"
API_VERSION = "2025-05-12"
CLOSE_TIMEOUT_SECONDS = 1.0


class AssemblyAIStandIn:
    """`async with AssemblyAIStandIn() as stand_in:` serves on a free port until the block ends.

    Without `ears` it is scripted: each session takes the next of `scripts` (none left: silence).
    With `ears` it hears. `faults` is a queue too: each connection takes the next one.
    """

    def __init__(
        self,
        *,
        ears: Callable[[], Ears] | None = None,
        scripts: Sequence[Sequence[ScriptedWord]] = (),
        faults: Sequence[Fault] = (),
        knobs: Knobs | None = None,
        api_key: str = LOCAL_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.ears = ears
        self.scripts = deque(scripts)
        self.faults = deque(faults)
        self.knobs = knobs or Knobs()
        self.api_key = api_key
        self.sessions: list[SessionRecord] = []
        self.connections: list[Connection] = []
        self._tokens: dict[str, tuple[float, float]] = {}
        self._session_starts: deque[float] = deque()
        self._arrival = asyncio.Condition()
        application = web.Application()
        application.router.add_get("/v3/ws", self._serve)
        application.router.add_get("/v3/ws/health", self._health)
        application.router.add_get("/v3/token", self._token)
        self._listener = Listener(application, host, port)

    async def __aenter__(self) -> Self:
        await self._listener.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._listener.stop()

    @property
    def url(self) -> str:
        """`ws://host:port`, to which clients add `/v3/ws`."""
        return f"ws://{self._listener.address}"

    async def refuse(self) -> None:
        """From now on nobody listens: TCP refuses. Open connections stay."""
        await self._listener.refuse()

    async def accept(self) -> None:
        """Listen again on the same port."""
        await self._listener.accept()

    async def wait_for_session(self, index: int) -> SessionRecord:
        """The record of the connection with this number, as soon as it has been made."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.sessions) > index)
        return self.sessions[index]

    def reset(self) -> None:
        """Forget records of closed sessions, scripts and faults."""
        self.sessions = [record for record in self.sessions if not record.closed.is_set()]
        self.scripts.clear()
        self.faults.clear()

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _token(self, request: web.Request) -> web.Response:
        """Section 2.1 of the notes; faults in the shape that the live service was seen to use."""
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key != self.api_key:
            return web.json_response({"error": "Invalid API key"}, status=401)
        expires, cap = request.query.get("expires_in_seconds"), self.knobs.session_cap_seconds
        for name, value, low, high in (
            ("expires_in_seconds", expires, 1, 600),
            (
                "max_session_duration_seconds",
                request.query.get("max_session_duration_seconds"),
                60,
                10_800,
            ),
        ):
            if value is None and name != "expires_in_seconds":
                continue
            if value is None or not value.isdecimal() or not low <= int(value) <= high:
                detail = {
                    "type": "missing" if value is None else "value_error",
                    "loc": ["query", name],
                    "msg": "Field required"
                    if value is None
                    else f"Input should be {low} to {high}",
                    "input": value,
                }
                return web.json_response({"detail": [detail]}, status=422)
            if name == "max_session_duration_seconds":
                cap = float(value)
        assert expires is not None
        token = uuid.uuid4().hex
        self._tokens[token] = (time.monotonic() + int(expires), cap)
        return web.json_response({"token": token, "expires_in_seconds": int(expires)})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults else NO_FAULT
        record = SessionRecord([(k, v) for k, v in request.query.items() if k != "token"])
        async with self._arrival:
            self.sessions.append(record)
            self._arrival.notify_all()
        try:
            return await self._upgrade(request, record, fault)
        finally:
            record.closed.set()

    async def _upgrade(
        self, request: web.Request, record: SessionRecord, fault: Fault
    ) -> web.StreamResponse:
        if fault.hang_before_upgrade:
            await asyncio.Event().wait()
        await asyncio.sleep(fault.upgrade_delay_ms / 1000)
        if fault.http_status is not None:
            return web.Response(status=fault.http_status)
        socket = web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT_SECONDS, max_msg_size=self.knobs.max_message_bytes
        )
        await socket.prepare(request)
        connection = Connection(socket, request.transport, record, self.knobs, fault)
        self.connections.append(connection)
        try:
            await self._open(request, connection, fault)
        finally:
            self.connections.remove(connection)
            record.close_code = socket.close_code or record.close_code
        return socket

    async def _open(self, request: web.Request, connection: Connection, fault: Fault) -> None:
        """Authorization, rate limit, parameters, Begin: in the service's order."""
        admitted = self._admit(request)
        cap_seconds = admitted if isinstance(admitted, float) else 0.0
        outcome: Fail | Parameters
        try:
            outcome = from_query(list(request.query.items()))
        except InvalidParametersError as invalid:
            outcome = Fail(3006, str(invalid))
        if isinstance(admitted, Fail):
            outcome = admitted
        elif fault.reject is not None:
            outcome = Fail(*fault.reject)
        if isinstance(outcome, Fail):
            await asyncio.sleep(self.knobs.reject_delay_ms / 1000)
            await connection.reject(outcome)
            return
        await connection.run(
            outcome,
            self._recognizer,
            request.headers.get("AssemblyAI-Version", API_VERSION),
            min(cap_seconds, fault.session_cap_seconds or cap_seconds),
            in_thread=self.ears is not None,
        )

    def _admit(self, request: web.Request) -> Fail | float:
        """The session's longest duration in seconds, or why there is none."""
        key = request.query.get("token") or request.headers.get("Authorization")
        prefix = "Unauthorized Connection: "
        if not key:
            return Fail(1008, prefix + "Missing Authorization header")
        cap_seconds = float(self.knobs.session_cap_seconds)
        if key in self._tokens:
            deadline, cap_seconds = self._tokens[key]
            if time.monotonic() > deadline:
                return Fail(1008, prefix + "Signature has expired")
        elif key != self.api_key:
            return Fail(1008, prefix + "Invalid API key")
        limit = self.knobs.new_sessions_per_minute
        now = time.monotonic()
        while self._session_starts and self._session_starts[0] < now - 60:
            self._session_starts.popleft()
        if limit is not None and len(self._session_starts) >= limit:
            return Fail(1008, prefix + "Too many concurrent sessions")
        self._session_starts.append(now)
        return cap_seconds

    def _recognizer(self, parameters: Parameters) -> Recognizer:
        if self.ears is None:
            return ScriptedRecognizer(self.scripts.popleft() if self.scripts else ())
        return HeardRecognizer(
            self.ears(),
            SoundReader(parameters.encoding, parameters.sample_rate),
            is_immutable=not parameters.is_rewriting,
            vad_threshold=parameters.effective_vad_threshold,
        )
