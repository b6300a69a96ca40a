"""Small servers on loopback that the doctor looks at: a LiveKit server, and TLS."""

import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.utils import formatdate
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api

KEY, SECRET = "APIdoctor", "a-livekit-secret-of-32-characters-or-more"


class LiveKit:
    """Answers as LiveKit's server does, in its words; keys, rooms and clock are the test's."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0
        self.agents: dict[str, str] = {}
        """The names of the agents in rooms, by the room's name."""
        self.url = ""
        self.is_broken = False
        """Whether it lists participants as no server does."""

    async def handle(self, request: web.Request) -> web.Response:
        date = formatdate(time.time() - self.ahead_seconds, usegmt=True)
        refusal = self._refusal(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if refusal:
            return web.Response(status=401, text=refusal, headers={"Date": date})
        return web.json_response(await self._answer(request), headers={"Date": date})

    def _refusal(self, token: str) -> str:
        try:
            api.TokenVerifier(KEY, SECRET).verify(token)
        except Exception as error:  # the library's, of several kinds
            if "issuer" in str(error).lower():
                return f"invalid API key: {token}"
            return f"invalid token: {token}, error: token signature is invalid"
        return "token has invalid claims: token is expired" if abs(self.ahead_seconds) > 60 else ""

    async def _answer(self, request: web.Request) -> dict[str, object]:
        asked = json.loads(await request.text())
        match request.match_info["method"]:
            case "ListRooms":
                return {"rooms": [{"name": name} for name in self.agents]}
            case "ListParticipants" if self.is_broken:
                return {"participants": 7}
            case "ListParticipants":
                attributes = {"lk.agent.name": self.agents[asked["room"]]}
                agent = {"kind": "AGENT", "attributes": attributes}
                return {"participants": [agent, {"identity": "ann"}]}
            case _:
                return {}


Serve = Callable[..., AbstractAsyncContextManager[str]]


@asynccontextmanager
async def _served(
    handle: Callable[[web.Request], object], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/twirp/livekit.RoomService/{method}", handle)  # type: ignore[arg-type]  # coroutines
    application.router.add_route("*", "/{path:.*}", handle)  # type: ignore[arg-type]  # coroutines
    server = TestServer(
        application, host="127.0.0.1", handler_cancellation=True, shutdown_timeout=0.05
    )
    await server.start_server(ssl=tls)
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        await server.close()


@pytest.fixture
def serve() -> Serve:
    """Serve a handler on loopback, with TLS if a context is given; the value is host:port."""
    return _served


@pytest.fixture
async def livekit(serve: Serve) -> AsyncIterator[LiveKit]:
    """A LiveKit server that takes `KEY` and `SECRET`."""
    server = LiveKit()
    async with serve(server.handle) as place:
        server.url = f"ws://{place}"
        yield server


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that nobody has signed."""
    folder = tmp_path_factory.mktemp("certificate")
    made = ["-keyout", "key.pem", "-out", "certificate.pem", "-days", "1", "-subj", "/CN=doctor"]
    options = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made, *options],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return _context(folder)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
