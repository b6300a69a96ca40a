"""What an agent hears after its own connection was lost, with a real LiveKit server."""

import asyncio
from typing import Any

from livekit import rtc

from agent.call.people.subscriptions import Subscriptions
from agent.caller.access import join_token
from agent.caller.microphone import SAMPLE_RATE

FULL_RECONNECT = rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT


async def test_an_agent_that_comes_back_after_its_caller_receives_the_microphone_again(
    places: Any,
) -> None:
    caller, agent = rtc.Room(), rtc.Room()
    received = asyncio.Event()
    agent.on("track_subscribed", lambda *_: received.set())
    try:
        for room, options in ((caller, rtc.RoomOptions()), (agent, rtc.RoomOptions(False))):
            identity = "caller" if room is caller else "agent"
            token = join_token(places.access, "reconnecting", identity)
            await room.connect(places.access.url, token, options)
        Subscriptions(agent, lambda who: who.identity == "caller").begin()
        source = rtc.AudioSource(SAMPLE_RATE, num_channels=1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        microphone = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await caller.local_participant.publish_track(track, microphone)
        await asyncio.wait_for(received.wait(), timeout=10)
        received.clear()
        await agent.simulate_scenario(FULL_RECONNECT)
        await asyncio.wait_for(received.wait(), timeout=20)
    finally:
        await agent.disconnect()
        await caller.disconnect()
