"""The control address: what was received, and what shall go wrong. JSON over HTTP.

GET    /assemblyai/sessions                every connection so far
POST   /assemblyai/sessions/N/fault        a fault for an open one; N counts from 0, -1 is the last
POST   /assemblyai/sessions/N/messages     a list of messages to send on it now
POST   /assemblyai/sessions/N/drop         break it off
POST   /assemblyai/faults                  a list of faults, one for each of the next connections
POST   /assemblyai/scripts                 a list of scripts, one for each of the next sessions
POST   /assemblyai/refuse, /accept         stop listening, listen again
DELETE /assemblyai                         forget closed sessions, faults and scripts
GET    /openai/requests                    every request so far
POST   /openai/faults                      a list of faults for the next requests
DELETE /openai                             forget requests and faults
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from workbench.standins.assemblyai_v3.connection import Connection
from workbench.standins.assemblyai_v3.knobs import Fault as SessionFault
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import AssemblyAIStandIn
from workbench.standins.listening import Listener
from workbench.standins.openai_v1.faults import Fault as RequestFault
from workbench.standins.openai_v1.server import OpenAIStandIn

SESSION_FAULTS = TypeAdapter(list[SessionFault])
REQUEST_FAULTS = TypeAdapter(list[RequestFault])
SCRIPTS = TypeAdapter(list[list[ScriptedWord]])
MESSAGES = TypeAdapter(list[dict[str, Any]])


class Control(Listener):
    """`async with Control(assemblyai, openai) as control: control.url`"""

    def __init__(
        self,
        assemblyai: AssemblyAIStandIn,
        openai: OpenAIStandIn,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._assemblyai = assemblyai
        self._openai = openai
        application = web.Application(middlewares=[_explain])
        session = "/assemblyai/sessions/{number:-?\\d+}"
        application.router.add_routes(
            [
                web.get("/assemblyai/sessions", self._sessions),
                web.post(f"{session}/fault", self._set_fault),
                web.post(f"{session}/messages", self._send_messages),
                web.post(f"{session}/drop", self._drop),
                web.post("/assemblyai/faults", self._add_session_faults),
                web.post("/assemblyai/scripts", self._add_scripts),
                web.post("/assemblyai/refuse", self._refuse),
                web.post("/assemblyai/accept", self._accept),
                web.delete("/assemblyai", self._forget_sessions),
                web.get("/openai/requests", self._requests),
                web.post("/openai/faults", self._add_request_faults),
                web.delete("/openai", self._forget_requests),
            ]
        )
        super().__init__(application, host, port)

    @property
    def url(self) -> str:
        """`http://host:port`"""
        return f"http://{self.address}"

    async def _sessions(self, request: web.Request) -> web.Response:
        return web.json_response([record.as_json() for record in self._assemblyai.sessions])

    async def _set_fault(self, request: web.Request) -> web.Response:
        connection = self._connection(request)
        connection.set_fault(SessionFault.model_validate_json(await request.read()))
        return _done()

    async def _send_messages(self, request: web.Request) -> web.Response:
        connection = self._connection(request)
        for message in MESSAGES.validate_json(await request.read()):
            connection.send(message)
        return _done()

    async def _drop(self, request: web.Request) -> web.Response:
        self._connection(request).drop()
        return _done()

    def _connection(self, request: web.Request) -> Connection:
        number = int(request.match_info["number"])
        sessions = self._assemblyai.sessions
        if -len(sessions) <= number < len(sessions):
            for connection in self._assemblyai.connections:
                if connection.record is sessions[number]:
                    return connection
        raise web.HTTPNotFound(text=f"Session {number} is not open.")

    async def _add_session_faults(self, request: web.Request) -> web.Response:
        self._assemblyai.faults.extend(SESSION_FAULTS.validate_json(await request.read()))
        return _done()

    async def _add_scripts(self, request: web.Request) -> web.Response:
        self._assemblyai.scripts.extend(SCRIPTS.validate_json(await request.read()))
        return _done()

    async def _refuse(self, request: web.Request) -> web.Response:
        await self._assemblyai.refuse()
        return _done()

    async def _accept(self, request: web.Request) -> web.Response:
        await self._assemblyai.accept()
        return _done()

    async def _forget_sessions(self, request: web.Request) -> web.Response:
        self._assemblyai.reset()
        return _done()

    async def _requests(self, request: web.Request) -> web.Response:
        return web.json_response([record.as_json() for record in self._openai.requests])

    async def _add_request_faults(self, request: web.Request) -> web.Response:
        self._openai.faults.extend(REQUEST_FAULTS.validate_json(await request.read()))
        return _done()

    async def _forget_requests(self, request: web.Request) -> web.Response:
        self._openai.reset()
        return _done()


@web.middleware
async def _explain(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a body that is wrong with what is wrong in it."""
    try:
        return await handler(request)
    except ValidationError as invalid:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in invalid.errors()]
        return web.json_response({"error": "; ".join(faults)}, status=400)


def _done() -> web.Response:
    return web.Response(status=204)
