"""Serves the page and its tokens on loopback only, since a token lets its holder call the agent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware
from livekit import api

from agent.playground.invitation import invite
from agent.room_names import Attribute
from config.project import Project

HOST = "127.0.0.1"
STATIC = Path(__file__).with_name("static")
FILES = ("playground.js", "meter.js", "playground.css", "icon.svg", "licences.txt")
_CLOUD = ".livekit.cloud"

Records = Callable[[str], str | None]
"""The page of the call in a room, as HTML; None if it was not recorded."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def playground(
    project: Project, *, port: int = 0, listen: str = HOST, records: Records | None = None
) -> AsyncIterator[str]:
    """Serve the page until the context is left, and yield its address; port 0 takes any free one.

    `listen` is the address of a network to listen on. Wherever it comes from, a request must name
    this machine. `records` finds the record of a call that was held in the page, if there may be
    one. Raises OSError when the port is taken.
    """
    runner = web.AppRunner(build(project, records), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, listen, port).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def build(project: Project, records: Records | None = None) -> web.Application:
    """The page, its files, and `POST /join`, which answers with an invitation as JSON; and
    `/calls/ROOM`, the record of a call for which this server gave the token.

    A page that has lost its connection sends its token, and gets one for the same place.
    """
    invited_to: set[str] = set()

    async def join(request: web.Request) -> web.Response:
        if request.headers.get("Origin") != f"http://{request.host}":
            raise web.HTTPForbidden(text="Only this page may ask for a token.")
        room, identity = _place(project, await request.text())
        invited = invite(
            project.livekit,
            agent_name=project.agent_name,
            room=room,
            identity=identity,
            attributes={Attribute.WANTS_TURN_TIMES: "true"},
        )
        invited_to.add(invited.room)
        return web.json_response(
            {
                "url": invited.url,
                "token": invited.token,
                "room": invited.room,
                "agentName": invited.agent_name,
            }
        )

    app = web.Application(middlewares=[_guard(_policy(project.livekit.url))])
    app.add_routes([web.get("/", _file("index.html")), web.post("/join", join)])
    app.add_routes([web.get("/calls/{room}", _record(records, invited_to))])
    app.add_routes([web.get(f"/{name}", _file(name)) for name in FILES])
    return app


def _record(records: Records | None, rooms: Set[str]) -> _Handler:
    """The record of a call in one of these rooms."""

    async def serve(request: web.Request) -> web.StreamResponse:
        room = request.match_info["room"]
        page = await asyncio.to_thread(records, room) if records and room in rooms else None
        if page is None:
            raise web.HTTPNotFound(text="There is no record of this call here.")
        own = {"Content-Security-Policy": "frame-ancestors 'none'"}  # the rest is in the page
        return web.Response(text=page, content_type="text/html", headers=own)

    return serve


def _file(name: str) -> _Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / name)

    return serve


def _guard(headers: dict[str, str]) -> Middleware:
    """Refuse requests for another host name, and add the headers."""

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        # A page of somebody else's whose name leads here reaches this port, but names its own host.
        if urlsplit(f"//{request.host}").hostname not in (HOST, "localhost"):
            raise web.HTTPForbidden(text="This page is for this machine alone.")
        response = await handler(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return guard


def _place(project: Project, lost: str) -> tuple[str, str]:
    """The room and the identity in a token that was made here before; empty if it was not."""
    key, secret = project.livekit.api_key, project.livekit.api_secret
    verifier = api.TokenVerifier(key.get_secret_value(), secret.get_secret_value())
    try:
        claims = verifier.verify(lost)
    except Exception:  # too old, or of another project: the library raises PyJWT's errors
        return "", ""
    return (claims.video.room if claims.video else ""), claims.identity


def _policy(url: str) -> dict[str, str]:
    """Headers: the page runs our scripts alone, and talks to us and to LiveKit alone."""
    host = urlsplit(url).netloc
    hosts = [host, f"*{_CLOUD}"] if host.endswith(_CLOUD) else [host]
    secure = "s" if urlsplit(url).scheme in ("wss", "https") else ""
    livekit = " ".join(f"ws{secure}://{name} http{secure}://{name}" for name in hosts)
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self'; connect-src 'self' {livekit}; media-src blob: mediastream:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
