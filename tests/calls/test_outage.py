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
        own = {"AGENT_NAME": "outage", "AGENT_HTTP_PORT": str(port), "AGENT_MAX_CALLS": "2"}
        worker = Worker(there, "worker", own, "start")
        async with (
            worker.taking_calls(),
            Caller.join(server.access, "room", "caller", "outage") as caller,
        ):
            await greeting(caller, timeout_seconds=60)
            await take_turn(caller, synthesised("My name is Emma."), timeout_seconds=40)
            async with asyncio.TaskGroup() as tasks:
                asked = tasks.create_task(pages_while_away(port))
                await server.restart(pause_seconds=1)
            assert asked.result() == (UNREGISTERED, "OK")  # ours, and LiveKit's own
            # Until both have found each other again, a question is answered by nobody.
            await worker.log_line("the caller came back", timeout_seconds=60)
            await caller.another_agent(None, timeout_seconds=60)
            assert "emma" in await answer(caller), chronicle(caller)
            times = itertools.count(1)
            await worker.process.wait_for_line(
                lambda line: '"registered worker"' in line and next(times) == 2, timeout_seconds=40
            )
            away = [line for line in worker.process.lines if "failed to connect" in line]
            assert len(away) == 1


async def answer(caller: Caller) -> str:
    """What the agent says to a question. The first time, the way for the caller's voice may be made
    while they ask, so that its beginning is not heard."""
    for _ in range(3):
        turn = await take_turn(caller, synthesised("What is my name?"), timeout_seconds=20)
        if "what is my name" in words(turn.heard_text):
            break
    return words(turn.reply_text)
