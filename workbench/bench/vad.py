"""What a call pays for its voice detector: Silero's plugin, and our stream of the same model.

Prints milliseconds of CPU for a second of the caller's sound, as `make bench-vad` does: best of
ROUNDS, in turns, in frames of 50 ms, without what the event loop costs by itself.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable

import numpy as np
from livekit import rtc
from livekit.agents import vad
from livekit.plugins import silero

from agent.call.voices.vad_tap import TappedVAD
from agent.call.voices.voice_detector import VoiceDetector

RATE, FRAME = 16_000, 800
SECONDS, ROUNDS = 30, 5
PAUSE_SECONDS = 0.004
"""Between frames, so that each is judged by itself, as in a call."""


def _frames() -> list[rtc.AudioFrame]:
    noise = np.random.default_rng(0).normal(scale=3000, size=RATE * SECONDS).astype(np.int16)
    return [
        rtc.AudioFrame(noise[start : start + FRAME].tobytes(), RATE, 1, FRAME)
        for start in range(0, len(noise), FRAME)
    ]


async def _cost_ms(frames: list[rtc.AudioFrame], take: Callable[[rtc.AudioFrame], None]) -> float:
    begun = time.process_time()
    for frame in frames:
        take(frame)
        await asyncio.sleep(PAUSE_SECONDS)
    return (time.process_time() - begun) / SECONDS * 1000


async def _cost_of(detector: vad.VAD, frames: list[rtc.AudioFrame]) -> float:
    stream = detector.stream()

    async def read() -> None:
        async for _ in stream:
            pass

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        await asyncio.sleep(0.1)
        cost = await _cost_ms(frames, stream.push_frame)
        stream.end_input()
    await stream.aclose()
    return cost


async def _best(measure: list[Callable[[], Awaitable[float]]]) -> list[float]:
    rounds = [[await each() for each in measure] for _ in range(ROUNDS)]
    return [min(costs) for costs in zip(*rounds, strict=True)]


async def main() -> None:
    """Measure in turns, and print."""
    frames, plugin = _frames(), silero.VAD.load()
    assert isinstance(plugin, silero.VAD)
    loop, alone, tapped, ours = await _best(
        [
            lambda: _cost_ms(frames, lambda _: None),
            lambda: _cost_of(plugin, frames),
            lambda: _cost_of(TappedVAD(plugin), frames),
            lambda: _cost_of(VoiceDetector(plugin), frames),
        ]
    )
    print("CPU for a second of sound, in ms, and as a share of the plugin's:")
    for name, cost in (
        ("the plugin's stream", alone),
        ("the same with taps", tapped),
        ("ours, with taps", ours),
    ):
        print(f"  {name:20} {cost - loop:6.2f}  {(cost - loop) / (alone - loop):5.2f}")


if __name__ == "__main__":
    argparse.ArgumentParser(prog="make bench-vad", description=__doc__).parse_args()
    asyncio.run(main())
