"""Every way a call can end, by name in the log."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

from livekit import api

from workbench.caller import Caller, access_token
from workbench.conversation import greeting, take_turn
from workbench.corpus import synthesised
from workbench.running import PROJECT


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
    await greeting(caller, timeout_seconds=20)
    async with livekit(places) as client:
        await client.room.delete_room(api.DeleteRoomRequest(room=caller.room_name))
    assert await ending(worker, caller.room_name) in ("the room closed", "the caller left")


async def test_speech_recognition_that_is_down_ends_the_call_after_its_patience(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker(
        ASSEMBLYAI_BASE_URL="ws://127.0.0.1:9", ASSEMBLYAI_PATIENCE_SECONDS="1"
    )
    caller = await dial(worker)
    assert await ending(worker, caller.room_name) == "the speech recognition failed"


async def test_speech_synthesis_that_refuses_its_key_ends_the_call(
    start_worker: Any, dial: Any
) -> None:
    worker = await start_worker(OPENAI_API_KEY="mistyped")
    caller = await dial(worker)
    assert await ending(worker, caller.room_name) == "the speech synthesis failed"
    line = await worker.log_line("a provider failed")
    assert "Incorrect API key" in line
    assert "mistyped" not in line


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
    room = "network dies"
    token = access_token(places.access, room, "caller", worker.agent_name)
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
        turn = await take_turn(again, synthesised("What is seven plus five?"), timeout_seconds=20)
        assert turn.reply is not None, turn.fault
    assert await ending(worker, room) == "the caller left"
