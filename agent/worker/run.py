"""Runs the worker until a signal: the first one ends it politely, the second hurries it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from livekit import api
from livekit.protocol import models

from agent.tasks import OwnedTask, Tasks, first_of
from agent.worker import signals
from agent.worker.dispatch import look_after_callers
from agent.worker.livekit_api import livekit_api
from agent.worker.preparation import leave_folder_in_place, leave_lost_folder
from agent.worker.reachability import (
    KeyRefusedError,
    LiveKitUnreachableError,
    require_livekit,
)
from agent.worker.record_keeper import RecordKeeper, keeper_of
from agent.worker.requests_to_agents import ask_agents_to_hand_over, ask_agents_to_leave
from agent.worker.server import Worker
from config.load import texts
from config.settings import Settings

log = logging.getLogger(__name__)

# A server started together with its workers needs a few seconds more than they do.
PATIENCE_SECONDS = 30
# For an apology in each call when the worker is forced to stop.
APOLOGY_SECONDS = 20


class HopelessError(Exception):
    """For too long the worker could not start a process for a call."""


async def _never() -> None:
    await asyncio.Event().wait()


async def serve(
    server: Worker,
    settings: Settings,
    *,
    devmode: bool,
    speaks: bool = True,
    retired: Callable[[], Awaitable[None]] = _never,
) -> None:
    """Take calls until a signal comes. Calls in progress may finish, except in development mode.

    A worker that `speaks` also tells callers when no agent is free, and apologises when it cuts a
    call short. When `retired` returns, another worker is about to take the calls: this one lets its
    own finish, in development mode too, and ends.

    Raises LiveKitUnreachableError, HopelessError, and OSError if the port of the
    health page is taken.
    """
    with signals.listening() as (stop, hurry):
        patience_seconds = 0 if devmode else PATIENCE_SECONDS
        ready = _wait_for_livekit(settings, patience_seconds=patience_seconds)
        async with OwnedTask(_awaited(retired), name="retirement") as leaving:
            await first_of(ready, stop.wait(), asyncio.shield(leaving.task))
            if stop.is_set() or leaving.task.done():
                return
            ends = _Ends(stop, hurry, leaving.task)
            await _take_calls(server, settings, ends, devmode=devmode, speaks=speaks)
    leave_folder_in_place()
    if server.starts.are_hopeless and not stop.is_set():
        raise HopelessError


@dataclass(frozen=True, slots=True)
class _Ends:
    """What ends a worker from outside."""

    stop: asyncio.Event
    hurry: asyncio.Event
    retired: asyncio.Task[None]


async def _take_calls(
    server: Worker, settings: Settings, ends: _Ends, *, devmode: bool, speaks: bool
) -> None:
    """Take calls until one of the ends, or until it is hopeless, and then let go of them."""
    started = asyncio.Event()
    server.once("worker_started", started.set)
    if devmode and (folder := settings.agent.record_dir):
        kept = {"folder": str(folder), "audio": settings.agent.record_audio}
        log.info("calls are recorded", extra=kept)
    keeper = keeper_of(settings.agent, texts()) if speaks else None
    async with OwnedTask(server.run(devmode=devmode), name="worker") as running:
        async with _rescue(server, settings, speaks=speaks), _kept(server, keeper):
            lasting = (asyncio.shield(running.task), asyncio.shield(ends.retired))
            await first_of(*lasting, ends.stop.wait(), _hopeless(server))
            server.admission.close()
            if not started.is_set():
                await server.break_off(running.task)
            elif not devmode:
                await _drained(server, settings, ends.hurry, speaks=speaks)
        # The next worker looks after callers without an agent.
        if ends.retired.done() and started.is_set():
            await first_of(server.step_aside(), ends.stop.wait())
        await server.aclose()
        await asyncio.gather(running.result(), return_exceptions=not started.is_set())
    if keeper:
        await keeper.finish()


@contextlib.asynccontextmanager
async def _kept(server: Worker, keeper: RecordKeeper | None) -> AsyncIterator[None]:
    """Meanwhile look after the records of calls."""
    if keeper is None:
        yield
        return
    server.calls_ended.append(keeper.call_ended)
    async with OwnedTask(keeper.run(), name="records"):
        yield


async def _awaited(wait: Callable[[], Awaitable[None]]) -> None:
    await wait()


async def _hopeless(server: Worker) -> None:
    """Return once no process can be started and no call is left that would suffer."""
    while not server.starts.are_hopeless or server.active_jobs:
        leave_lost_folder()
        server.starts.try_again()
        await asyncio.sleep(1)


async def _drained(
    server: Worker, settings: Settings, hurry: asyncio.Event, *, speaks: bool
) -> None:
    """Let calls go to other workers or finish. End those that are left when the time is up or a
    second signal hurries."""
    seconds = settings.agent.drain_seconds
    async with OwnedTask(server.drain(timeout=None), name="drain") as draining:
        finished = draining.task
        try:
            async with _handing_over(server, settings, speaks=speaks):
                await asyncio.wait_for(first_of(asyncio.shield(finished), hurry.wait()), seconds)
        except TimeoutError:
            log.warning("the time to drain is up", extra={"seconds": seconds})
        if speaks and not finished.done():
            await ask_agents_to_leave(server, settings.livekit)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(finished), APOLOGY_SECONDS)


@contextlib.asynccontextmanager
async def _handing_over(server: Worker, settings: Settings, *, speaks: bool) -> AsyncIterator[None]:
    """Meanwhile ask the agents to hand their calls over. What fails leaves the calls here."""
    seconds = settings.agent.hand_over_seconds
    if not (speaks and seconds and server.active_jobs):
        yield
        return
    asking = ask_agents_to_hand_over(server, settings.livekit, seconds)
    async with OwnedTask(asking, name="hand-over"):
        yield


async def join(server: Worker, settings: Settings, room: str) -> None:
    """Hold one call in the room of that name, making the room if need be; take no other calls.

    Raises LiveKitUnreachableError, and OSError if the health page's port is taken.
    """
    with signals.listening() as (stop, _):
        await first_of(_wait_for_livekit(settings, patience_seconds=0), stop.wait())
        if stop.is_set():
            return
        room_info = await _made(settings, room)
        started = asyncio.Event()
        server.once("worker_started", started.set)
        work = server.run(devmode=True, unregistered=True)
        async with OwnedTask(work, name="worker") as running:
            await first_of(asyncio.shield(running.task), started.wait())
            if not stop.is_set():
                identity = f"agent-{room_info.sid}"
                await server.simulate_job(room, agent_identity=identity, room_info=room_info)
                await first_of(server.drain(timeout=None), stop.wait())
            await server.aclose()
            await running.result()


async def _made(settings: Settings, room: str) -> models.Room:
    async with livekit_api(settings.livekit) as server:
        return await server.client.room.create_room(api.CreateRoomRequest(name=room))


@contextlib.asynccontextmanager
async def _rescue(server: Worker, settings: Settings, *, speaks: bool) -> AsyncIterator[None]:
    """Meanwhile look after waiting callers, starting when the worker takes calls."""
    registered = asyncio.Event()
    server.once("worker_registered", lambda *_: registered.set())

    async def look() -> None:
        await registered.wait()
        async with OwnedTask(server.fleet.run(), name="fleet"):
            while True:
                try:
                    await look_after_callers(settings, server, speaks=speaks)
                except Exception:  # a fault of ours: callers must not pay for it
                    log.exception("looking after callers failed, starting again")
                    server.fleet.decline()
                await asyncio.sleep(1)

    async with Tasks() as tasks:
        tasks.start(look(), name="callers")
        tasks.start(server.load_shedding.watch(), name="load shedding")
        yield


async def _wait_for_livekit(settings: Settings, *, patience_seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + patience_seconds
    said = ""
    while True:
        try:
            return await require_livekit(settings.livekit)
        except KeyRefusedError:
            raise
        except LiveKitUnreachableError as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            if said != str(error):
                said = str(error)
                log.warning("waiting for LiveKit", extra={"cause": said})
            await asyncio.sleep(1)
