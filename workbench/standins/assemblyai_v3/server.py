"""The stand-in for AssemblyAI: an HTTP server with `/v3/ws` and `/v3/token`."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

from aiohttp import web
from pydantic import ValidationError

from workbench.standins.assemblyai_v3.admission import Admission
from workbench.standins.assemblyai_v3.connection import Connection
from workbench.standins.assemblyai_v3.framing import BYTES_PER_SAMPLE
from workbench.standins.assemblyai_v3.heard import Engines, HeardRecognizer
from workbench.standins.assemblyai_v3.hearing import Recognizer
from workbench.standins.assemblyai_v3.knobs import NO_FAULT, Fault, Knobs
from workbench.standins.assemblyai_v3.outputs import Fail
from workbench.standins.assemblyai_v3.parameters import (
    InvalidParametersError,
    Parameters,
    from_query,
)
from workbench.standins.assemblyai_v3.record import SessionRecord
from workbench.standins.assemblyai_v3.scripted import ScriptedRecognizer, ScriptedWord
from workbench.standins.assemblyai_v3.session import Session
from workbench.standins.assemblyai_v3.sound import SoundReader
from workbench.standins.assemblyai_v3.tokens import TokenRequest
from workbench.standins.listening import Listener

LOCAL_KEY = "local-assemblyai-key"
API_VERSION = "2025-05-12"
CLOSE_TIMEOUT_SECONDS = 1.0


class AssemblyAIStandIn(Listener):
    """`async with AssemblyAIStandIn() as stand_in:` serves on a free port until the block ends.

    Without `engines` it is scripted: each session takes the next of `scripts` (none left: silence).
    With them it hears; each session asks for new ones. `faults` is a queue like
    `scripts`: each connection takes the next one.
    """

    def __init__(  # noqa: PLR0913  each has a default
        self,
        *,
        engines: Callable[[], Engines] | None = None,
        scripts: Sequence[Sequence[ScriptedWord]] = (),
        faults: Sequence[Fault] = (),
        knobs: Knobs | None = None,
        api_key: str = LOCAL_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.scripts = deque(scripts)
        self.faults = deque(faults)
        self.knobs = knobs or Knobs()
        self.sessions: list[SessionRecord] = []
        self.connections: list[Connection] = []
        """Open now; `connection.record` is one of `sessions`."""
        self._engines = engines
        self._admission = Admission(api_key, self.knobs.new_sessions_per_minute)
        self._arrival = asyncio.Condition()
        application = web.Application()
        application.router.add_get("/v3/ws", self._serve)
        application.router.add_get("/v3/ws/health", self._health)
        application.router.add_get("/v3/token", self._token)
        super().__init__(application, host, port)

    @property
    def url(self) -> str:
        """`ws://host:port`, to which clients add `/v3/ws`."""
        return f"ws://{self.address}"

    async def wait_for_session(self, index: int) -> SessionRecord:
        """The record of the connection with this number, as soon as it has been made."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.sessions) > index)
        return self.sessions[index]

    def reset(self) -> None:
        """Forget records of closed sessions, scripts and faults."""
        self.sessions = [record for record in self.sessions if not record.is_closed]
        self.scripts.clear()
        self.faults.clear()

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _token(self, request: web.Request) -> web.Response:
        """Section 2.1 of the notes; faults in the shape that the live service was seen to use."""
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self._admission.has_key(key):
            return web.json_response({"error": "Invalid API key"}, status=401)
        try:
            asked = TokenRequest.model_validate(dict(request.query))
        except ValidationError as invalid:
            detail = [
                {"type": e["type"], "loc": ["query", *e["loc"]], "msg": e["msg"], "input": None}
                for e in invalid.errors()
            ]
            return web.json_response({"detail": detail}, status=422)
        token = self._admission.tokens.issue(asked, time.monotonic())
        return web.json_response({"token": token, "expires_in_seconds": asked.expires_in_seconds})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults else NO_FAULT
        record = SessionRecord([(k, v) for k, v in request.query.items() if k != "token"])
        async with self._arrival:
            self.sessions.append(record)
            self._arrival.notify_all()
        try:
            return await self._upgrade(request, record, fault)
        finally:
            record.is_closed = True
            record.touch()

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
        connection = Connection(socket, request, record, self.knobs)
        self.connections.append(connection)
        try:
            await self._open(request, connection, fault)
        finally:
            self.connections.remove(connection)
            record.close_code = record.close_code or socket.close_code
        return socket

    async def _open(self, request: web.Request, connection: Connection, fault: Fault) -> None:
        """Authorization, rate limit, parameters, Begin: in the service's order."""
        key = request.query.get("token") or request.headers.get("Authorization")
        cap_seconds = fault.session_cap_seconds or self.knobs.session_cap_seconds
        admitted = self._admission.judge(key, time.monotonic(), cap_seconds)
        if isinstance(admitted, Fail):
            await connection.reject(admitted, fault)
            return
        if fault.reject is not None:
            await connection.reject(Fail(*fault.reject), fault)
            return
        try:
            parameters = from_query(list(request.query.items()))
        except InvalidParametersError as invalid:
            await connection.reject(Fail(3006, str(invalid)), fault)
            return
        if parameters.encoding not in BYTES_PER_SAMPLE:
            text = f"The stand-in does not decode '{parameters.encoding}': send PCM or mu-law"
            await connection.reject(Fail(3006, text), fault)
            return
        session = Session(parameters, self._recognizer(parameters), self.knobs, fault)
        version = request.headers.get("AssemblyAI-Version", API_VERSION)
        await connection.run(session, version, admitted, in_thread=self._engines is not None)

    def _recognizer(self, parameters: Parameters) -> Recognizer:
        if self._engines is None:
            script = self.scripts.popleft() if self.scripts else ()
            return ScriptedRecognizer(
                script,
                has_drafts=parameters.is_rewriting,
                has_speakers=parameters.speaker_labels,
            )
        recognizer = HeardRecognizer(
            self._engines(),
            SoundReader(parameters.encoding, parameters.sample_rate),
            is_immutable=not parameters.is_rewriting,
        )
        recognizer.adapt(
            vad_threshold=parameters.effective_vad_threshold,
            min_turn_silence_ms=parameters.silences.min_ms,
        )
        return recognizer
