"""Workers that look after callers in the ways that are compared."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

from agent.call.people.need import Need
from agent.worker.dispatch import Dispatcher
from agent.worker.livekit_api import livekit_api
from agent.worker.liveness import Liveness
from agent.worker.server import Worker
from agent.worker.vacated import Vacated
from config.load import load_settings
from config.settings import Settings
from workbench.bench.api_calls.world import AGENT_NAME, PLACES, jobs_of
from workbench.local.livekit_server import LiveKitServer

__all__ = ["WAYS", "Scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """How many workers and rooms, and how long each way is counted."""

    workers: int
    rooms: int
    seconds: int
    warm_up_seconds: int


Called = Callable[[str], object]


def settings_for(server: LiveKitServer) -> Settings:
    """Those of a worker of this server."""
    access, key = server.access, {"api_key": "key"}
    livekit = {"url": access.url, "api_key": access.api_key, "api_secret": access.api_secret}
    given = {"livekit": livekit, "assemblyai": key, "openai": key, "agent": {"name": AGENT_NAME}}
    return load_settings(None, given=given)


@asynccontextmanager
async def each_by_itself(
    server: LiveKitServer, scene: Scene, called: Called
) -> AsyncIterator[None]:
    """Every worker looks after all rooms, until the context is left."""
    settings = settings_for(server)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(_worker(settings, number, scene.workers, called))
            for number in range(scene.workers)
        ]
        yield
        for each in running:
            each.cancel()


async def _worker(settings: Settings, number: int, workers: int, called: Called) -> None:
    jobs = jobs_of(number, workers)
    worker = cast("Worker", SimpleNamespace(places=PLACES, active_jobs=jobs))
    need = Need.to_answer(settings.agent)
    async with livekit_api(settings.livekit, called) as api, asyncio.TaskGroup() as tasks:
        tasks.create_task(Vacated(worker, api.client, need).run())
        await Dispatcher(settings, need, worker, api.client, Liveness(api), tasks).run()


Way = Callable[[LiveKitServer, Scene, Called], AbstractAsyncContextManager[None]]

WAYS: Mapping[str, Way] = {"each by itself": each_by_itself}
"""By name, what runs the workers in one of the ways."""
