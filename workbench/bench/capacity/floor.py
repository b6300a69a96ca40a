"""`python workbench/bench/capacity/floor.py start`: a worker whose jobs only hear and speak.

What LiveKit itself costs: a job that subscribes to the caller's sound, and publishes as much speech
as an agent does. It detects no voice, transcribes nothing, and asks no model.
"""

import asyncio
import os

import aiohttp
from livekit import rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext, cli

server = AgentServer(load_fnc=lambda: 0.0, host="127.0.0.1", port=0)

RATE = 24_000
SPEECH = "You asked what time do you open tomorrow and I am glad to help you with that."
CYCLE_SECONDS = 10.0
"""From one answer to the next; callers and agents take about as long."""
_FRAME_SAMPLES = RATE // 20


async def voice() -> bytes:
    """Speech of 16 bits, mono, RATE samples a second, from the stand-in for OpenAI."""
    address = f"{os.environ['OPENAI_BASE_URL']}/audio/speech"
    async with (
        aiohttp.ClientSession() as client,
        client.post(address, json={"input": SPEECH}) as response,
    ):
        return await response.read()


async def hear(track: rtc.Track) -> None:
    """Take the caller's sound as LiveKit's input does: 50 ms at 24 kHz."""
    async for _ in rtc.AudioStream.from_track(
        track=track, sample_rate=RATE, num_channels=1, frame_size_ms=50
    ):
        pass


async def speak(source: rtc.AudioSource, sound: bytes) -> None:
    """One answer after the other."""
    step = 2 * _FRAME_SAMPLES
    while True:
        next_answer = asyncio.get_running_loop().time() + CYCLE_SECONDS
        for start in range(0, len(sound) - step, step):
            piece = sound[start : start + step]
            await source.capture_frame(rtc.AudioFrame(piece, RATE, 1, _FRAME_SAMPLES))
        await asyncio.sleep(next_answer - asyncio.get_running_loop().time())


@server.rtc_session()
async def converse(job: JobContext) -> None:
    """Hear and speak until the caller leaves."""
    tasks: set[asyncio.Task[None]] = set()
    sound = await voice()

    def heard(track: rtc.Track, *_: object) -> None:
        tasks.add(asyncio.create_task(hear(track)))

    job.room.on("track_subscribed", heard)
    await job.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await job.room.local_participant.publish_track(track, options)
    tasks.add(asyncio.create_task(speak(source, sound)))


if __name__ == "__main__":
    cli.run_app(server)
