"""The control address: what was received, and what shall go wrong next. JSON over HTTP."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from workbench.loopback.assemblyai_v3.knobs import Fault as SessionFault
from workbench.loopback.assemblyai_v3.scripted import ScriptedWord
from workbench.loopback.assemblyai_v3.server import AssemblyAIStandIn
from workbench.loopback.listening import Listener
from workbench.loopback.openai_v1.faults import Fault as RequestFault
from workbench.loopback.openai_v1.server import OpenAIStandIn

SESSION_FAULTS = TypeAdapter(list[SessionFault])
REQUEST_FAULTS = TypeAdapter(list[RequestFault])
SCRIPTS = TypeAdapter(list[list[ScriptedWord]])


class Control:
    """GET lists, DELETE forgets, POST adds to a queue."""

    def __init__(
        self, assemblyai: AssemblyAIStandIn, openai: OpenAIStandIn, host: str = "127.0.0.1"
    ) -> None:
        self._assemblyai = assemblyai
        self._openai = openai
        application = web.Application(middlewares=[_explain])
        application.router.add_get("/assemblyai/sessions", self._sessions)
        application.router.add_delete("/assemblyai", self._forget_sessions)
        application.router.add_post("/assemblyai/faults", self._add_session_faults)
        application.router.add_post("/assemblyai/faults/now", self._set_session_fault)
        application.router.add_post("/assemblyai/scripts", self._add_scripts)
        application.router.add_post("/assemblyai/refuse", self._refuse)
        application.router.add_post("/assemblyai/accept", self._accept)
        application.router.add_get("/openai/requests", self._requests)
        application.router.add_delete("/openai", self._forget_requests)
        application.router.add_post("/openai/faults", self._add_request_faults)
        self._listener = Listener(application, host, 0)

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
        """Its address."""
        return f"http://{self._listener.address}"

    async def _sessions(self, request: web.Request) -> web.Response:
        return _json([record.as_json() for record in self._assemblyai.sessions])

    async def _forget_sessions(self, request: web.Request) -> web.Response:
        self._assemblyai.reset()
        return _json({})

    async def _add_session_faults(self, request: web.Request) -> web.Response:
        self._assemblyai.faults.extend(SESSION_FAULTS.validate_json(await request.read()))
        return _json({"queued": len(self._assemblyai.faults)})

    async def _set_session_fault(self, request: web.Request) -> web.Response:
        """For the connections that are open now."""
        fault = SessionFault.model_validate_json(await request.read())
        for connection in self._assemblyai.connections:
            connection.set_fault(fault)
        return _json({"connections": len(self._assemblyai.connections)})

    async def _add_scripts(self, request: web.Request) -> web.Response:
        self._assemblyai.scripts.extend(SCRIPTS.validate_json(await request.read()))
        return _json({"queued": len(self._assemblyai.scripts)})

    async def _refuse(self, request: web.Request) -> web.Response:
        await self._assemblyai.refuse()
        return _json({})

    async def _accept(self, request: web.Request) -> web.Response:
        await self._assemblyai.accept()
        return _json({})

    async def _requests(self, request: web.Request) -> web.Response:
        return _json([record.as_json() for record in self._openai.requests])

    async def _forget_requests(self, request: web.Request) -> web.Response:
        self._openai.reset()
        return _json({})

    async def _add_request_faults(self, request: web.Request) -> web.Response:
        self._openai.faults.extend(REQUEST_FAULTS.validate_json(await request.read()))
        return _json({"queued": len(self._openai.faults)})


@web.middleware
async def _explain(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as invalid:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in invalid.errors()]
        return web.json_response({"error": "; ".join(faults)}, status=400)


def _json(value: Any) -> web.Response:
    return web.json_response(value)
