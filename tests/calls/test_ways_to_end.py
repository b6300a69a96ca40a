"""Every way a call can end, by name in the log."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from typing import Any

import pytest
from livekit import api

from agent.caller.access import join_token
from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from workbench.local.calling.corpus import synthesised
from workbench.local.running import PROJECT


async def ending(worker: Any, room: str, *, timeout_seconds: float = 30) -> str:
    line = await worker.log_line('"call ended"', f'"{room}"', timeout_seconds=timeout_seconds)
    return str(json.loads(line)["ending"])


def livekit(places: Any) -> api.LiveKitAPI:
    access = places.access
    return api.LiveKitAPI(access.url, access.api_key, access.api_secret)


async def test_a_room_into_which_no_caller_comes_is_left(places: Any, start_worker: Any) -> None:
    worker = await start_worker(AGENT_CALLER_TIMEOUT_SECONDS="1")
    room = "nobody comes"
    async with livekit(places) as client:
        await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=room, agent_name=worker.agent_name)
        )
    assert await ending(worker, room) == "no caller came in time"


async def test_a_room_that_closes_ends_the_call(places: Any, worker: Any, dial: Any) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    async with livekit(places) as client:
        await client.room.delete_room(api.DeleteRoomRequest(room=caller.room_name))
    assert await ending(worker, caller.room_name) in ("the room closed", "the caller left")


async def hears_to_the_end(caller: Any, understand: Any) -> str:
    """What the caller hears until the agent has hung up, in words."""
    await caller.hung_up_on(timeout_seconds=60)
    return words(await understand(caller.heard()))


@pytest.mark.parametrize(
    ("settings", "why", "told"),
    [
        (
            {"ASSEMBLYAI_BASE_URL": "ws://127.0.0.1:9", "ASSEMBLYAI_PATIENCE_SECONDS": "1"},
            "the speech recognition failed",
            "127.0.0.1:9 cannot be reached",
        ),
        (  # nobody can hear, think or speak
            {"OPENAI_API_KEY": "mistyped", "ASSEMBLYAI_BASE_URL": "ws://127.0.0.1:9"},
            "the speech synthesis failed",
            "Incorrect API key",
        ),
    ],
)
async def test_a_caller_hears_an_apology_when_a_provider_is_down(
    start_worker: Any,
    dial: Any,
    understand: Any,
    settings: dict[str, str],
    why: str,
    told: str,
) -> None:
    worker = await start_worker(**settings)
    caller = await dial(worker)
    heard = await hears_to_the_end(caller, understand)
    assert "something on our side has failed" in heard
    assert await ending(worker, caller.room_name) == why
    line = await worker.log_line("a provider failed")
    assert told in line
    assert "mistyped" not in line
    assert caller.disconnected == "ROOM_DELETED"


async def test_a_caller_who_says_nothing_is_asked_and_then_let_go(
    start_worker: Any, dial: Any, understand: Any
) -> None:
    worker = await start_worker(AGENT_SILENCE_SECONDS="2")
    caller = await dial(worker)
    heard = await hears_to_the_end(caller, understand)
    assert "are you still there" in heard
    assert "ending this call" in heard
    assert await ending(worker, caller.room_name) == "the caller said nothing for too long"


async def test_a_silent_caller_who_answers_stays(
    start_worker: Any, dial: Any, understand: Any
) -> None:
    worker = await start_worker(AGENT_SILENCE_SECONDS="3")
    caller = await dial(worker)
    greeted, _ = await greeting(caller, timeout_seconds=40)
    asked = await caller.hear_reply(after_seconds=greeted.end_seconds, timeout_seconds=40)
    assert "still there" in words(await understand(caller.heard(asked.start_seconds)))
    turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
    assert "twelve" in words(turn.reply_text)


async def test_the_agent_can_end_the_call(worker: Any, dial: Any) -> None:
    caller = await dial(worker)
    await greeting(caller, timeout_seconds=40)
    await caller.say(synthesised("Goodbye.").samples)
    assert await ending(worker, caller.room_name) == "the agent ended the call"
    await caller.agent_gone(timeout_seconds=40)


async def test_a_call_has_a_longest_duration(start_worker: Any, dial: Any, understand: Any) -> None:
    worker = await start_worker(AGENT_MAX_CALL_SECONDS="10")
    caller = await dial(worker)
    assert "ending this call" in await hears_to_the_end(caller, understand)
    assert await ending(worker, caller.room_name) == "the call reached its longest duration"


STAY = """
import asyncio, sys
from livekit import rtc

async def main():
    room = rtc.Room()
    await room.connect(sys.argv[1], sys.stdin.readline().strip())
    print("joined", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_caller_whose_network_died_is_waited_for_and_goes_on(
    places: Any, start_worker: Any
) -> None:
    worker = await start_worker(AGENT_RECONNECT_GRACE_SECONDS="60")
    room = f"network dies {uuid.uuid4()}"
    token = join_token(places.access, room, "caller", worker.agent_name)
    lost = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STAY, places.access.url),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=PROJECT,
        env=dict(os.environ),
    )
    assert lost.stdin
    lost.stdin.write(token.encode() + b"\n")
    await worker.log_line('"call started"', f'"{room}"')
    lost.kill()
    await lost.wait()
    # LiveKit's server needs about 20 s to notice.
    await worker.log_line("network failed", f'"{room}"', timeout_seconds=60)
    async with Caller.join(places.access, room, "caller") as again:
        await worker.log_line("the caller came back", f'"{room}"')
        turn = await take_turn(again, synthesised("What is seven plus five?"), timeout_seconds=40)
        assert turn.reply is not None, turn.fault
    assert await ending(worker, room) == "the caller left"
