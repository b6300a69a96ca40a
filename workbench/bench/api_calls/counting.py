"""Counts the calls of a fleet, and says how many there were a second."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from workbench.bench.api_calls.fleets import WAYS, Hooks, Scene
from workbench.bench.figures import Figure
from workbench.local.livekit_server import LiveKitServer

__all__ = ["Counted", "figures", "measure", "table"]

_ALL = "all"


@dataclass(frozen=True, slots=True)
class Counted:
    """What the workers of one way did: calls a second by method, and the server's CPU, in cores."""

    way: str
    calls: dict[str, float]
    cores: float

    @property
    def total(self) -> float:
        """All calls a second."""
        return sum(self.calls.values())


async def measure(name: str, scene: Scene, server: LiveKitServer, hooks: Hooks) -> Counted:
    """Run the workers in this way, and count once they have seen all rooms."""
    calls: Counter[str] = Counter()
    way = WAYS[name]
    async with way.running(server, scene, lambda method: calls.update((method,))) as workers:
        hooks.workers = workers if way.has_webhooks else []
        await asyncio.sleep(scene.warm_up_seconds)
        calls.clear()
        began, before = time.monotonic(), _cpu_seconds(server)
        await asyncio.sleep(scene.seconds)
        seconds = time.monotonic() - began
        found = {name: count / seconds for name, count in sorted(calls.items())}
        return Counted(name, found, (_cpu_seconds(server) - before) / seconds)


def _cpu_seconds(server: LiveKitServer) -> float:
    processes = psutil.Process(server.process.pid).children(recursive=True)
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def table(found: Sequence[Counted]) -> str:
    """Calls a second, a row for each method and a column for each way."""
    methods = sorted({name for each in found for name in each.calls})
    heads = ["calls a second", *(each.way for each in found)]
    rows: list[list[Any]] = [
        [name, *(f"{each.calls.get(name, 0):.1f}" for each in found)] for name in methods
    ]
    rows.append([_ALL, *(f"{each.total:.1f}" for each in found)])
    rows.append(["server's CPU, cores", *(f"{each.cores:.2f}" for each in found)])
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(each) + " |" for each in lines)


def figures(found: Sequence[Counted]) -> list[Figure]:
    """All calls a second, by way."""
    return [Figure(name=f"API calls, {each.way}", unit="1/s", ours=each.total) for each in found]
