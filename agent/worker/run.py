"""Runs the worker until somebody stops it: the first signal ends politely, the second hurries."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable

from livekit import api
from livekit.agents import AgentServer
from livekit.protocol import models

from agent.worker import signals
from agent.worker.dispatch import Dispatcher
from agent.worker.reachability import UnreachableError, require_livekit
from config.settings import Settings

log = logging.getLogger(__name__)

# A server that is started at the same moment as its workers needs a few seconds more than they do.
PATIENCE_SECONDS = 30


async def serve(server: AgentServer, settings: Settings, *, devmode: bool) -> None:
    """Take calls until a signal comes; calls in progress may finish, but in development mode.

    Raises UnreachableError, and OSError where the health page's port is taken.
    """
    with signals.listening() as (stop, hurry):
        patience_seconds = 0 if devmode else PATIENCE_SECONDS
        await _either(_wait_for_livekit(settings, patience_seconds=patience_seconds), stop.wait())
        if stop.is_set():
            return
        running = asyncio.create_task(server.run(devmode=devmode))
        async with _rescue(server, settings):
            await _either(asyncio.shield(running), stop.wait())
        if not devmode:
            with contextlib.suppress(asyncio.TimeoutError):  # the drain time is over
                await _either(server.drain(), hurry.wait())
        await server.aclose()
        await running


async def join(server: AgentServer, settings: Settings, room: str) -> None:
    """Hold one call in the room of that name, which is made if need be; no others are taken.

    Raises UnreachableError, and OSError where the health page's port is taken.
    """
    with signals.listening() as (stop, _):
        await _wait_for_livekit(settings, patience_seconds=0)
        room_info = await _made(settings, room)
        started = asyncio.Event()
        server.once("worker_started", started.set)
        running = asyncio.create_task(server.run(devmode=True, unregistered=True))
        await _either(asyncio.shield(running), started.wait())
        if not stop.is_set():
            identity = f"agent-{room_info.sid}"
            await server.simulate_job(room, agent_identity=identity, room_info=room_info)
            await _either(server.drain(timeout=None), stop.wait())
        await server.aclose()
        await running


async def _made(settings: Settings, room: str) -> models.Room:
    livekit = settings.livekit
    key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
    async with api.LiveKitAPI(livekit.url, key, secret) as client:
        return await client.room.create_room(api.CreateRoomRequest(name=room))


@contextlib.asynccontextmanager
async def _rescue(server: AgentServer, settings: Settings) -> AsyncIterator[None]:
    """Meanwhile, look for callers who wait, from the moment on at which the worker takes calls."""
    registered = asyncio.Event()
    server.once("worker_registered", lambda *_: registered.set())

    async def look() -> None:
        await registered.wait()
        await Dispatcher(settings, server).run()

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _either(*waits: Awaitable[object]) -> None:
    """Return when the first of these is done, or raise what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _wait_for_livekit(settings: Settings, *, patience_seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + patience_seconds
    said = ""
    while True:
        try:
            return await require_livekit(settings.livekit)
        except UnreachableError as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            if said != str(error):
                said = str(error)
                log.warning("waiting for LiveKit", extra={"cause": said})
            await asyncio.sleep(1)
