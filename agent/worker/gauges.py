"""Shows on the page of metrics how the worker is, and how late its event loop runs."""

import asyncio
from collections.abc import Callable

from agent.worker import metrics
from agent.worker.health import OBSTACLES, Health

SECONDS = 0.5


async def follow(look: Callable[[], Health | None]) -> None:
    """Look twice a second until cancelled; None: the worker is not there yet."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + SECONDS
        await asyncio.sleep(SECONDS)
        metrics.EVENT_LOOP_LAG.observe(max(0.0, loop.time() - due))
        if health := look():
            show(health)


def show(health: Health) -> None:
    """Set the gauges."""
    obstacles = health.obstacles
    metrics.READY.set(not obstacles)
    metrics.PLACES_FREE.set(health.places_free)
    metrics.PLACES_USED.set(health.calls)
    for each in OBSTACLES:
        metrics.OBSTACLE.labels(each).set(each in obstacles)
