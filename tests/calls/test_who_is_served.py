"""Whom in a room the agent serves: not who came first, but who can speak and waits."""

import asyncio
import subprocess
import sys
import uuid
from typing import Any

from livekit import api, rtc

from agent.caller.access import join_token
from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from workbench.local.calling.corpus import synthesised
from workbench.local.running import PROJECT

SILENT_CALLER = """
import asyncio, sys
from livekit import rtc

async def main():
    room, source = rtc.Room(), rtc.AudioSource(48000, 1)
    await room.connect(sys.argv[1], sys.stdin.readline().strip())
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_caller_is_served_though_a_listener_came_first_and_the_track_has_no_source(
    places: Any, worker: Any, request: Any
) -> None:
    room, access = f"{request.node.name} {uuid.uuid4()}", places.access
    dispatch = api.RoomAgentDispatch(agent_name=worker.agent_name)
    token = (
        api.AccessToken(access.api_key, access.api_secret)
        .with_identity("observer")
        .with_grants(api.VideoGrants(room_join=True, room=room, can_publish=False))
        .with_room_config(api.RoomConfiguration(agents=[dispatch]))
    )
    observer = rtc.Room()
    await observer.connect(access.url, token.to_jwt())
    try:
        unknown = rtc.TrackSource.SOURCE_UNKNOWN
        async with Caller.join(access, room, "caller", source=unknown) as caller:
            await greeting(caller, timeout_seconds=40)
            line = await worker.log_line('"serving a caller"', f'"{room}"')
            assert '"caller"' in line
            question = synthesised("What is seven plus five?")
            turn = await take_turn(caller, question, timeout_seconds=40)
            assert turn.reply is not None, turn.fault
            assert "twelve" in turn.reply_text.lower()
    finally:
        await observer.disconnect()


async def test_who_loads_the_page_again_is_greeted_at_once_whatever_the_new_identity(
    places: Any, worker: Any, request: Any, figure: Any
) -> None:
    room = f"{request.node.name} {uuid.uuid4()}"
    for identity in ("ann", "ann", "ann-2"):
        async with Caller.join(places.access, room, identity, worker.agent_name) as caller:
            reply, _ = await greeting(caller, timeout_seconds=40)
            waited = reply.start_seconds - caller.joined_seconds
            figure(f"page loaded again: {identity} greeted {waited:.1f} s after joining")
            assert waited < 8  # a second; eight where nobody looks for who comes back


async def test_a_caller_who_died_is_served_under_another_identity_before_the_server_notices(
    places: Any, worker: Any, request: Any, figure: Any
) -> None:
    room, access = f"{request.node.name} {uuid.uuid4()}", places.access
    token = join_token(access, room, "ann", worker.agent_name)
    lost = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SILENT_CALLER, access.url), stdin=subprocess.PIPE, cwd=PROJECT
    )
    assert lost.stdin
    lost.stdin.write(token.encode() + b"\n")
    await worker.log_line('"call started"', f'"{room}"', timeout_seconds=40)
    await asyncio.sleep(2)
    lost.kill()
    await lost.wait()
    async with Caller.join(access, room, "ann-2") as caller:
        served = await caller.until(
            lambda: caller.agent_identity, timeout_seconds=20, what="the first agent to be seen"
        )
        await caller.another_agent(served, timeout_seconds=40)
        there = caller.now_seconds
        reply = await caller.hear_start(after_seconds=there, timeout_seconds=40)
        waited = reply.start_seconds - caller.joined_seconds
        figure(f"caller killed, back under another identity: greeted after {waited:.1f} s")
        assert waited < 18  # before LiveKit's server has noticed


async def test_the_second_person_is_served_when_the_first_has_left(
    places: Any, worker: Any, request: Any, figure: Any
) -> None:
    room = f"{request.node.name} {uuid.uuid4()}"
    async with Caller.join(places.access, room, "ann", worker.agent_name) as first:
        await greeting(first, timeout_seconds=40)
        async with Caller.join(places.access, room, "bob") as second:
            served = first.agent_identity
            await first.hang_up()
            left = second.now_seconds
            await second.another_agent(served, timeout_seconds=40)
            reply = await second.hear_start(after_seconds=left, timeout_seconds=40)
            figure(f"second person greeted {reply.start_seconds - left:.1f} s after the first left")
            await second.hear_silence(timeout_seconds=40)
            question = synthesised("What is seven plus five?")
            turn = await take_turn(second, question, timeout_seconds=40)
            assert turn.reply is not None, turn.fault
