"""In a room: real workers, a real LiveKit server, and callers over WebRTC who hear the replies."""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from agent.caller.caller import Caller
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.waiting import WaitedTooLongError
from workbench.bench.latency.contestants import Contestant
from workbench.bench.latency.dialogue import Line, say
from workbench.bench.latency.measurement import Summary, Turn, read
from workbench.bench.latency.providers import Delays, Providers
from workbench.local.livekit_server import Access
from workbench.local.standins_process import in_this_process
from workbench.local.workers import Places, Worker, own_livekit

__all__ = ["measure_in_room"]

_GREETING_SECONDS = 60.0
_LAST_SECONDS = 3.0
_DEAF_SECONDS = 6.0
"""LiveKit's default keeps an agent deaf for the first three seconds of its first speech."""


@dataclass(slots=True)
class _Call:
    contestant: Contestant
    providers: Providers
    caller: Caller = field(init=False)
    turns: list[Turn] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the worker and of its room."""
        return self.contestant.name.replace(", ", "-")

    async def speak(self, line: Line, ends_at: float) -> None:
        said = say(line)
        await asyncio.sleep(max(0.0, ends_at - said.end_seconds - time.monotonic()))
        spoken = await self.caller.say(said.samples)
        silent_seconds = said.samples.size / SAMPLE_RATE - said.end_seconds
        ended_at = self._clock + spoken.end_seconds - silent_seconds
        self.turns.append(Turn(line, self._clock + spoken.start_seconds, ended_at))

    @property
    def _clock(self) -> float:
        """When the call's clock began."""
        return time.monotonic() - self.caller.now_seconds

    @property
    def replies(self) -> list[float]:
        """When each began to be heard."""
        return [self._clock + span.start_seconds for span in self.caller.heard_spans]


async def measure_in_room(
    contestants: Sequence[Contestant], lines: Sequence[Line], delays: Delays, slot_seconds: float
) -> Mapping[str, Summary]:
    """Each says all lines; one of them comes to the end of a line about every `slot_seconds`."""
    async with AsyncExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(own_livekit(logs))
        cues = [say(line).cue for line in lines]
        calls = [
            _Call(each, await stack.enter_async_context(Providers(cues, delays)))
            for each in contestants
        ]
        # One after the other: the server passes over workers whose machine is busy.
        for call in calls:
            worker = _worker(call, server.access, logs)
            await stack.enter_async_context(worker.taking_calls())
            joining = Caller.join(server.access, call.name, "caller", call.name)
            call.caller = await stack.enter_async_context(joining)
            try:
                await call.caller.hear_reply(after_seconds=0, timeout_seconds=_GREETING_SECONDS)
            except WaitedTooLongError as silence:
                last_words = worker.process.tail()
                raise WaitedTooLongError(f"{call.name}: {silence}\n{last_words}") from None
        await asyncio.sleep(_DEAF_SECONDS)
        longest = max(say(line).end_seconds for line in lines)
        ends_at = time.monotonic() + longest
        async with asyncio.TaskGroup() as group:
            for line in lines:
                for call in calls:
                    group.create_task(call.speak(line, ends_at))
                    ends_at += slot_seconds
        await asyncio.sleep(_LAST_SECONDS)
        return {
            call.contestant.name: Summary(tuple(read(call.turns, call.replies, call.providers)))
            for call in calls
        }


def _worker(call: _Call, access: Access, logs: Path) -> Worker:
    stood_in = in_this_process(call.providers.stt, call.providers.llm)
    settings = {
        "AGENT_NAME": call.name,
        "AGENT_SILENCE_SECONDS": "600",  # the others are being connected
        "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
        **call.contestant.settings,
    }
    places = Places(access, stood_in, logs)
    return Worker(places, call.name, settings, program=call.contestant.program)
