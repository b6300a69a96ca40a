"""What a call pays for its voice detector: Silero's plugin, and our stream of the same model.

Prints milliseconds of CPU for a second of the caller's sound, as `make bench-vad` does: best of
some rounds, in turns, in frames of 50 ms, without what the event loop costs by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import numpy as np
from livekit import rtc
from livekit.agents import vad
from livekit.plugins import silero

from agent.call.voices.vad_tap import TappedVAD
from agent.call.voices.voice_detector import VoiceDetector
from workbench.arguments import command, positive
from workbench.bench.figures import Figure, add_json_option, write

RATE, FRAME = 16_000, 800
SECONDS, ROUNDS = 30, 5
PLUGIN, TAPPED, OURS = "the plugin's stream", "the same with taps", "ours, with taps"
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


async def _best(measure: list[Callable[[], Awaitable[float]]], rounds: int) -> list[float]:
    costs = [[await each() for each in measure] for _ in range(rounds)]
    return [min(each) for each in zip(*costs, strict=True)]


async def measured(rounds: int) -> Mapping[str, float]:
    """By contestant, ms of CPU for a second of sound; measured in turns."""
    frames, plugin = _frames(), silero.VAD.load()
    assert isinstance(plugin, silero.VAD)
    loop, *costs = await _best(
        [
            lambda: _cost_ms(frames, lambda _: None),
            lambda: _cost_of(plugin, frames),
            lambda: _cost_of(TappedVAD(plugin), frames),
            lambda: _cost_of(VoiceDetector(plugin), frames),
        ],
        rounds,
    )
    return {name: cost - loop for name, cost in zip((PLUGIN, TAPPED, OURS), costs, strict=True)}


def figures(costs: Mapping[str, float]) -> list[Figure]:
    """For `make bench`."""
    name = "CPU for a second of sound"
    return [Figure(name=name, unit="ms", ours=costs[OURS], stock=costs[PLUGIN])]


def main() -> None:
    """Measure, and print."""
    parser = command("make bench-vad", __doc__)
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="the best one counts")
    parser.add_argument("--quick", action="store_true", help="two rounds")
    add_json_option(parser)
    options = parser.parse_args()
    costs = asyncio.run(measured(2 if options.quick else options.rounds))
    print("CPU for a second of sound, in ms, and as a share of the plugin's:")
    for name, cost in costs.items():
        print(f"  {name:20} {cost:6.2f}  {cost / costs[PLUGIN]:5.2f}")
    write(options.json, figures(costs))


if __name__ == "__main__":
    main()
