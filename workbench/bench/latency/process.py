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
from workbench.bench.latency.contestants import Contestant
from workbench.bench.latency.dialogue import Line, say
from workbench.bench.latency.line import FRAME_SECONDS, SAMPLE_RATE, Earpiece, Mouthpiece
from workbench.bench.latency.measurement import Summary, Turn, read
from workbench.bench.latency.providers import Delays, Providers
from workbench.local.calling.corpus import resampled

__all__ = ["measure_in_process"]

_SETTLE_SECONDS = 2.0  # for the handshakes
_LAST_SECONDS = 3.0  # for the last reply


@dataclass(slots=True)
class _Seat:
    contestant: Contestant
    providers: Providers
    mouthpiece: Mouthpiece
    earpiece: Earpiece = field(default_factory=Earpiece)
    turns: list[Turn] = field(default_factory=list)

    def speak(self, line: Line, ends_at: float) -> None:
        said = say(line)
        samples = resampled(said.samples, SPOKEN_RATE, SAMPLE_RATE)
        begins_at = ends_at - said.end_seconds
        self.mouthpiece.say(samples, begins_at)
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
        seats = []
        for contestant in contestants:
            providers = await stack.enter_async_context(Providers(cues, delays))
            seat = _Seat(contestant, providers, Mouthpiece(began_at))
            await stack.enter_async_context(_connected(seat, http))
            seats.append(seat)
        longest = max(say(line).end_seconds for line in lines)
        first_end = time.monotonic() + _SETTLE_SECONDS + longest
        for number, line in enumerate(lines):
            for place, seat in enumerate(seats):
                ends_at = first_end + (number * len(seats) + place) * slot_seconds
                frame = math.ceil((ends_at - began_at) / FRAME_SECONDS)
                phase = (number + 0.5) / len(lines)
                seat.speak(line, began_at + (frame + phase) * FRAME_SECONDS)
        await asyncio.sleep(seats[-1].turns[-1].ended_at + _LAST_SECONDS - time.monotonic())
        return {
            seat.contestant.name: Summary(
                tuple(read(seat.turns, seat.earpiece.replies, seat.providers))
            )
            for seat in seats
        }


@asynccontextmanager
async def _connected(seat: _Seat, http: aiohttp.ClientSession) -> AsyncIterator[None]:
    session, agent = seat.contestant.build(seat.providers, http)
    session.input.audio = seat.mouthpiece
    session.output.audio = seat.earpiece
    await session.start(agent, record=False)
    try:
        yield
    finally:
        await session.aclose()
        for provider in (session.stt, session.llm, session.tts):
            if isinstance(provider, stt.STT | llm.LLM | tts.TTS):
                await provider.aclose()
