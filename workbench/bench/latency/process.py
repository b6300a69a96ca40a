"""In one process: every contestant's session on a line of its own, in turns, one clock for all.

The contestants speak in rotation, so that while one answers the others only listen, and whatever
the machine does besides falls on all of them alike.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from livekit.agents import llm, stt, tts

from agent.caller.microphone import SAMPLE_RATE as SPOKEN_RATE
from agent.capacity.line import Output
from workbench.bench.latency.audio_io import (
    FRAME_SECONDS,
    SAMPLE_RATE,
    LiveAudioInput,
)
from workbench.bench.latency.contestants import Contestant
from workbench.bench.latency.dialogue import Line, say
from workbench.bench.latency.measurement import Summary, Turn, read
from workbench.bench.latency.providers import Delays, Providers
from workbench.local.calling.corpus import resampled

__all__ = ["measure_in_process"]

_SETTLE_SECONDS = 2.0  # for the handshakes
_LAST_SECONDS = 3.0  # for the last reply


@dataclass(slots=True)
class _Call:
    contestant: Contestant
    providers: Providers
    audio_input: LiveAudioInput
    audio_output: Output = field(default_factory=Output)
    turns: list[Turn] = field(default_factory=list)

    def speak(self, line: Line, ends_at: float) -> None:
        said = say(line)
        samples = resampled(said.samples, SPOKEN_RATE, SAMPLE_RATE)
        begins_at = ends_at - said.end_seconds
        self.audio_input.say(samples, begins_at)
        self.turns.append(Turn(line, begins_at, ends_at))


async def measure_in_process(
    contestants: Sequence[Contestant], lines: Sequence[Line], delays: Delays, slot_seconds: float
) -> Mapping[str, Summary]:
    """Each says all lines; one of them comes to the end of a line every `slot_seconds`.

    Where in a frame of audio the speech ends decides up to 50 ms: every contestant gets the same
    places, evenly spread.
    """
    began_at = time.monotonic()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        cues = [say(line).cue for line in lines]
        calls = []
        for contestant in contestants:
            providers = await stack.enter_async_context(Providers(cues, delays))
            call = _Call(contestant, providers, LiveAudioInput(began_at))
            await stack.enter_async_context(_connected(call, http))
            calls.append(call)
        longest = max(say(line).end_seconds for line in lines)
        first_end = time.monotonic() + _SETTLE_SECONDS + longest
        for number, line in enumerate(lines):
            for place, call in enumerate(calls):
                ends_at = first_end + (number * len(calls) + place) * slot_seconds
                frame = math.ceil((ends_at - began_at) / FRAME_SECONDS)
                phase = (number + 0.5) / len(lines)
                call.speak(line, began_at + (frame + phase) * FRAME_SECONDS)
        await asyncio.sleep(calls[-1].turns[-1].ended_at + _LAST_SECONDS - time.monotonic())
        return {
            call.contestant.name: Summary(
                tuple(read(call.turns, call.audio_output.replies, call.providers))
            )
            for call in calls
        }


@asynccontextmanager
async def _connected(call: _Call, http: aiohttp.ClientSession) -> AsyncIterator[None]:
    session, agent = call.contestant.build(call.providers, http)
    session.input.audio = call.audio_input
    session.output.audio = call.audio_output
    await session.start(agent, record=False)
    try:
        yield
    finally:
        await session.aclose()
        for provider in (session.stt, session.llm, session.tts):
            if isinstance(provider, stt.STT | llm.LLM | tts.TTS):
                await provider.aclose()
