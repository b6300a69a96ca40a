"""Everything that runs while a worker is measured: LiveKit's server, providers, callers, itself."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from workbench.bench.capacity.climb import Climb, Pace
from workbench.bench.capacity.contestants import Contestant
from workbench.bench.capacity.load_program import Callers, running
from workbench.local.standins_process import StandIns
from workbench.local.workers import Places, Worker, own_livekit

__all__ = ["Load", "standing"]


@dataclass(frozen=True, slots=True)
class Load:
    """The program of callers and providers, and what they say."""

    program: Path
    script: Path


@asynccontextmanager
async def standing(
    contestant: Contestant, places: int, pace: Pace, load: Load, logs: Path
) -> AsyncIterator[Climb]:
    """Run all of it until the context is left; the worker has room for `places` calls.

    Raises NoLiveKitServerError, ProcessDiedError with last words, WaitedTooLongError.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        http = await enter(aiohttp.ClientSession())
        server = await enter(own_livekit(logs))
        parts = {
            part: await enter(running(load.program, part, load.script, logs / f"{part}.log"))
            for part in ("providers", "callers")
        }
        address = parts["providers"].address
        stand_ins = StandIns(
            assemblyai_base_url=f"ws://{address}",
            openai_base_url=f"http://{address}/v1",
            control_url="",
            assemblyai_api_key="anything",
            openai_api_key="anything",
        )
        settings = {"AGENT_MAX_CALLS": str(places), **contestant.settings}
        worker = Worker(
            Places(server.access, stand_ins, logs),
            "worker",
            settings,
            "start",
            program=contestant.program,
        )
        await enter(worker.taking_calls())
        callers = Callers(parts["callers"], server.access, http)
        yield Climb(contestant, worker, callers, server.process, parts["providers"].process, pace)
        await callers.leave()
