"""Workers that look after callers in the ways that are compared."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web

from agent.call.people.need import Need
from agent.call.people.participants import AgentRole
from agent.fleet.client import open_redis
from agent.fleet.membership import Membership
from agent.worker.dispatch import look_after
from agent.worker.in_fleet import fleet_name, own_agents
from agent.worker.livekit_api import livekit_api
from agent.worker.liveness import Liveness
from agent.worker.replacing import Replacing
from agent.worker.server import Worker
from agent.worker.webhook_page import webhook_page
from config.load import load_settings
from config.services import LiveKitSettings
from config.settings import Settings
from workbench.bench.api_calls.world import AGENT_NAME, PLACES, jobs_of
from workbench.local.livekit_server import LiveKitServer

__all__ = ["WAYS", "Hooks", "Scene", "Way"]


@dataclass(frozen=True, slots=True)
class Scene:
    """How many workers and rooms, and how long each way is counted."""

    workers: int
    rooms: int
    seconds: int
    warm_up_seconds: int
    redis_url: str = ""


Called = Callable[[str], object]


def settings_for(server: LiveKitServer, redis_url: str | None) -> Settings:
    """Those of a worker of this server."""
    access, key = server.access, {"api_key": "key"}
    livekit = {"url": access.url, "api_key": access.api_key, "api_secret": access.api_secret}
    agent = {"name": AGENT_NAME} | ({"redis_url": redis_url} if redis_url else {})
    given = {"livekit": livekit, "assemblyai": key, "openai": key, "agent": agent}
    return load_settings(None, given=given)


@dataclass(frozen=True, slots=True)
class Way:
    """What the workers of a fleet share."""

    has_lease: bool = False
    """One of them looks after all rooms."""
    has_presence: bool = False
    """It knows of their calls."""
    has_webhooks: bool = False
    """LiveKit's webhooks reach one of them."""

    @asynccontextmanager
    async def running(
        self, server: LiveKitServer, scene: Scene, called: Called
    ) -> AsyncIterator[list[Membership]]:
        """The workers, until the context is left."""
        settings = settings_for(server, scene.redis_url if self.has_lease else None)
        async with asyncio.TaskGroup() as tasks:
            kind = _Uninformed if self.has_lease and not self.has_presence else Membership
            numbers = range(scene.workers)
            workers = [_worker(settings, each, scene.workers, kind) for each in numbers]
            running = [tasks.create_task(_look_after(settings, each, called)) for each in workers]
            running += [tasks.create_task(each.fleet.run()) for each in workers]
            yield [each.fleet for each in workers]
            for each in running:
                each.cancel()


WAYS: Mapping[str, Way] = {
    "each by itself": Way(),
    "with a lease": Way(has_lease=True),
    "and presence": Way(has_lease=True, has_presence=True),
    "and webhooks": Way(has_lease=True, has_presence=True, has_webhooks=True),
}
"""By name, the ways that are compared."""


class _Uninformed(Membership):
    """One that knows nothing of the others' calls."""

    @property
    def others(self) -> None:
        return None


class Hooks:
    """Takes LiveKit's webhooks, and gives each to one of the workers, as a load balancer does."""

    def __init__(self) -> None:
        self.workers: Sequence[Membership] = ()

    @asynccontextmanager
    async def listening(self, port: int, livekit: LiveKitSettings) -> AsyncIterator[None]:
        """Listen on this port of loopback, until the context is left."""
        application = web.Application()
        application.router.add_routes(webhook_page(livekit, self._give))
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
        await runner.cleanup()

    def _give(self, room: str) -> None:
        if self.workers:
            random.choice(self.workers).note_change(room)


def _worker(settings: Settings, number: int, workers: int, kind: type[Membership]) -> Worker:
    worker: Any = SimpleNamespace(places=PLACES, active_jobs=jobs_of(number, workers))
    redis, name = open_redis(settings.agent.redis_url), fleet_name(settings, AgentRole.ANSWERS)
    worker.fleet = kind(redis, name, "", lambda: (PLACES, own_agents(worker)))
    return cast("Worker", worker)


async def _look_after(settings: Settings, worker: Worker, called: Called) -> None:
    need = Need.to_answer(settings.agent)
    async with livekit_api(settings.livekit, called) as api:
        await look_after(settings, worker, Replacing(api.client, need), Liveness(api))
