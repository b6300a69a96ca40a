"""LiveKit's server goes away in the middle of a call, and comes back."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import aiohttp

from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.chronicle import chronicle
from workbench.local.calling.corpus import synthesised
from workbench.local.livekit_server import free_port
from workbench.local.workers import Places, Worker, own_livekit

UNREGISTERED = "not ready: not registered with LiveKit\n"


async def pages_while_away(port: int) -> tuple[str, str]:
    """What `/readyz` and LiveKit's own page say, once the worker has noticed."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        while True:
            async with http.get("/readyz") as ready, http.get("/") as livekits:
                if ready.status == 503:
                    return await ready.text(), await livekits.text()
            await asyncio.sleep(0.1)


async def test_a_call_goes_on_after_a_restart_of_the_livekit_server(
    places: Any, tmp_path: Path
) -> None:
    async with own_livekit(tmp_path) as server:
        there = Places(server.access, places.stand_ins, tmp_path)
        port = free_port()
        own = {"AGENT_NAME": "outage", "AGENT_HTTP_PORT": str(port)}
        worker = Worker(there, "worker", own, "start")
        async with worker.process, Caller.join(server.access, "room", "caller", "outage") as caller:
            await greeting(caller, timeout_seconds=60)
            await take_turn(caller, synthesised("My name is Emma."), timeout_seconds=40)
            async with asyncio.TaskGroup() as tasks:
                asked = tasks.create_task(pages_while_away(port))
                await server.restart(pause_seconds=1)
            assert asked.result() == (UNREGISTERED, "OK")  # ours, and LiveKit's own
            for _ in range(8):
                question = synthesised("What is my name?")
                turn = await take_turn(caller, question, timeout_seconds=8)
                if "emma" in words(turn.reply_text):
                    break
            assert "emma" in words(turn.reply_text), chronicle(caller)
            times = itertools.count(1)
            await worker.process.wait_for_line(
                lambda line: '"registered worker"' in line and next(times) == 2, timeout_seconds=40
            )
            away = [line for line in worker.process.lines if "failed to connect" in line]
            assert len(away) == 1
