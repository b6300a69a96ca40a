"""Whatever happens to the worker that looks after callers for all, another one does so at once."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from aiohttp import web
from livekit import api

from agent.call.people.participants import AgentRole
from agent.caller.waiting import WaitedTooLongError
from agent.fleet.duty import Duty
from agent.fleet.membership import Membership
from agent.worker.dispatch import look_after_callers
from agent.worker.in_fleet import membership_of
from agent.worker.webhook_page import PATH, webhook_page
from config.load import load_settings
from config.settings import Settings
from workbench.local.livekit_binary import find_or_build
from workbench.local.livekit_server import Access, free_port, fresh_doors, livekit_server
from workbench.local.processes import Command, Process
from workbench.local.redis_server import RedisServer
from workbench.local.running import CACHE

PATIENCE_SECONDS = 1.0
NAME = "nobody has this name"
LEADER = """
import asyncio, json, os, runpy, sys
told = json.loads(os.environ["TOLD"])
asyncio.run(runpy.run_path(sys.argv[1])["lead"](**told))
"""


def settings_for(access: Access, redis_url: str) -> Settings:
    key = {"api_key": "key"}
    agent = {"name": NAME, "redis_url": redis_url, "rescue_seconds": PATIENCE_SECONDS}
    given = {"livekit": asdict(access), "assemblyai": key, "openai": key, "agent": agent}
    return load_settings(None, given=given)


@asynccontextmanager
async def looking(access: Access, redis_url: str) -> AsyncIterator[Membership]:
    """A worker with free places, and without processes: all it does is to look after callers."""
    settings = settings_for(access, redis_url)
    worker: Any = SimpleNamespace(places=9, active_jobs=[])
    worker.fleet = membership_of(worker, settings, AgentRole.ANSWERS)
    async with asyncio.TaskGroup() as tasks:
        work = (worker.fleet.run(), look_after_callers(settings, worker, speaks=True))
        running = [tasks.create_task(each) for each in work]
        yield worker.fleet
        for each in running:
            each.cancel()


async def lead(access: dict[str, str], redis_url: str) -> None:
    """The same in a process of its own, which says when it leads."""
    async with looking(Access(**access), redis_url) as fleet:
        while True:
            await asyncio.sleep(0.05)
            sys.stdout.write(f"{fleet.duty}\n")
            sys.stdout.flush()


class Line:
    """The way to Redis of one worker. It can be cut so that nobody notices: nothing comes through,
    and nothing is closed."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self.hang = self._goes_on.clear

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        """The address of its near end."""
        async with asyncio.TaskGroup() as tasks:

            async def connect(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
                far, on = await asyncio.open_connection("127.0.0.1", self._redis.port)
                for source, sink in ((near, on), (far, back)):
                    copying.append(tasks.create_task(self._copy(source, sink)))

            copying: list[asyncio.Task[None]] = []
            server = await asyncio.start_server(connect, "127.0.0.1", 0)
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
            server.close()
            for each in copying:
                each.cancel()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(sink):
            while part := await source.read(65536):
                await self._goes_on.wait()
                sink.write(part)


@pytest.mark.parametrize("blow", ["killed", "frozen", "cut off from Redis"])
async def test_a_caller_is_sent_an_agent_though_the_worker_that_looks_after_all_is_gone(
    places: Any, dial: Any, redis: RedisServer, tmp_path: Path, figure: Any, blow: str
) -> None:
    line, access = Line(redis), places.access
    caller = await dial(None)
    async with (
        line.laid() as url,
        api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client,
    ):
        told = json.dumps({"access": asdict(access), "redis_url": url})
        argv = [sys.executable, "-c", LEADER, __file__]
        leader = Command("leader", argv, tmp_path / "log", {**os.environ, "TOLD": told})
        async with Process(leader) as process:
            await process.wait_for_line(lambda text: text == Duty.LEADS, timeout_seconds=40)
            async with looking(access, redis.url) as follower:
                await asyncio.sleep(1)
                assert follower.duty is Duty.FOLLOWS
                await strike(blow, process, line)
                request = api.CreateAgentDispatchRequest(room=caller.room_name, agent_name=NAME)
                await client.agent_dispatch.create_dispatch(request)
                # Only of two that live could both ask for the same caller.
                requests = 3 if blow == "cut off from Redis" else 2
                asked = await again(client, caller.room_name, requests=requests)
            resume(process)
    waits = [later - sooner for sooner, later in pairwise(asked)]
    figure(f"the worker that looks after all is {blow}: an agent was asked for {waits[0]:.1f} s on")
    assert min(waits) >= PATIENCE_SECONDS  # whoever looks, they ask once


async def strike(blow: str, process: Process, line: Line) -> None:
    for program in psutil.Process(process.pid).children():
        match blow:
            case "killed":
                program.send_signal(signal.SIGKILL)
            case "frozen":
                program.send_signal(signal.SIGSTOP)
            case _:
                line.hang()


def resume(process: Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for program in psutil.Process(process.pid).children():
            program.resume()


async def again(client: api.LiveKitAPI, room: str, *, requests: int) -> list[float]:
    """When an agent was asked for, in seconds, once that was so often."""
    for _ in range(200):
        found = await client.agent_dispatch.list_dispatch(room)
        ours = [each.state.created_at / 1e9 for each in found if each.agent_name == NAME]
        if len(ours) >= requests:
            return sorted(ours)
        await asyncio.sleep(0.1)
    raise WaitedTooLongError("nobody has asked for an agent")


async def test_a_real_servers_webhook_names_the_room(tmp_path: Path) -> None:
    port, named = free_port(), asyncio.Queue[str]()
    doors = fresh_doors(f"http://127.0.0.1:{port}{PATH}")
    program = await find_or_build(CACHE, print)
    async with livekit_server(program, tmp_path / "log", doors=doors) as server:
        settings = settings_for(server.access, "redis://127.0.0.1:1/0").livekit
        application = web.Application()
        application.router.add_routes(webhook_page(settings, named.put_nowait))
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        access = server.access
        async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
            await client.room.create_room(api.CreateRoomRequest(name="emma"))
        assert await asyncio.wait_for(named.get(), 10) == "emma"
        await runner.cleanup()
