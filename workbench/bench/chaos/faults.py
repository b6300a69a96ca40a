"""What goes wrong: each fault is a function of the fleet, chosen and timed by a seed."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp

from workbench.bench.chaos.fleet import Fleet

PROBES_SECONDS = 6.0
"""Three probes, two seconds apart: docs/fleet.md."""

Fault = Callable[[Fleet, random.Random], Awaitable[None]]


async def kill_a_job(fleet: Fleet, chance: random.Random) -> None:
    """A call's process dies."""
    if jobs := fleet.jobs():
        with suppress(ProcessLookupError):
            os.kill(chance.choice(jobs), signal.SIGKILL)


async def kill_a_worker(fleet: Fleet, chance: random.Random) -> None:
    """A worker dies with its calls, as with its machine; another one is started."""
    worker = fleet.workers.pop(chance.randrange(len(fleet.workers)))
    worker.process.signal_group(signal.SIGKILL)
    await fleet.add()


async def drain_a_worker(fleet: Fleet, chance: random.Random) -> None:
    """A worker is told to stop, as when a new version is rolled out."""
    await fleet.add()
    fleet.workers.pop(chance.randrange(len(fleet.workers) - 1)).terminate()


async def freeze_a_worker(fleet: Fleet, chance: random.Random) -> None:
    """A worker and its calls stand still for a while, as when a machine swaps."""
    worker = chance.choice(fleet.workers)
    worker.process.signal_group(signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(1, 12))
    worker.process.signal_group(signal.SIGCONT)


async def break_the_model(fleet: Fleet, chance: random.Random) -> None:
    """The language model fails for a few requests."""
    kind = chance.choice([{"status": 500}, {"break_after_chunks": 2}, {"delay_ms": 4000}])
    await control(fleet, "/openai/faults", [{"endpoint": "chat", "times": 2, **kind}])


async def break_the_voice(fleet: Fleet, chance: random.Random) -> None:
    """The speech synthesis fails for a few requests."""
    kind = chance.choice([{"status": 500}, {"status": 429}, {"delay_ms": 3000}])
    await control(fleet, "/openai/faults", [{"endpoint": "speech", "times": 2, **kind}])


async def withdraw_the_key(fleet: Fleet, _: random.Random) -> None:
    """The language model refuses the key in one call: it cannot go on."""
    await control(fleet, "/openai/faults", [{"endpoint": "chat", "times": 1, "status": 401}])


async def deafen(fleet: Fleet, chance: random.Random) -> None:
    """AssemblyAI breaks a session off and is out of reach for a while."""
    await control(fleet, "/assemblyai/refuse")
    try:
        await control(fleet, "/assemblyai/sessions/-1/drop")
        await asyncio.sleep(chance.uniform(0.5, 5))
    finally:
        await control(fleet, "/assemblyai/accept")


async def restart_the_server(fleet: Fleet, chance: random.Random) -> None:
    """A LiveKit server is killed, and started again on the same address."""
    await chance.choice(fleet.ground.nodes).restart(pause_seconds=chance.uniform(0, 2))


async def kill_a_node(fleet: Fleet, chance: random.Random) -> None:
    """One of the LiveKit servers is gone for longer than the other one waits for it."""
    await chance.choice(fleet.ground.nodes).restart(pause_seconds=chance.uniform(10, 20))


async def drain_a_node(fleet: Fleet, chance: random.Random) -> None:
    """One of the LiveKit servers is told to stop, and replaced when its rooms are empty."""
    node = chance.choice(fleet.ground.nodes)
    node.terminate()
    await node.process.ended()
    await node.start_again()


async def freeze_a_node(fleet: Fleet, chance: random.Random) -> None:
    """One of the LiveKit servers stands still for a while. After `PROBES_SECONDS` its liveness
    probe has it killed and replaced: one that goes on after longer may part a call's two sides."""
    node = chance.choice(fleet.ground.nodes)
    node.process.signal_group(signal.SIGSTOP)
    seconds = chance.uniform(1, 2 * PROBES_SECONDS)
    await asyncio.sleep(min(seconds, PROBES_SECONDS))
    if seconds > PROBES_SECONDS:
        await node.restart()
    else:
        node.process.signal_group(signal.SIGCONT)


async def kill_redis(fleet: Fleet, chance: random.Random) -> None:
    """Redis is killed, and started again with what it has on its disk."""
    redis = fleet.ground.redis
    assert redis
    await redis.kill()
    await asyncio.sleep(chance.uniform(0, 3))
    await redis.start()


async def lose_a_machine(fleet: Fleet, chance: random.Random) -> None:
    """A LiveKit server and a worker with its calls die at the same moment."""
    losing = kill_a_worker(fleet, chance), kill_a_node(fleet, chance)
    await asyncio.gather(*losing)


FAULTS: tuple[Fault, ...] = (
    kill_a_job,
    kill_a_worker,
    drain_a_worker,
    freeze_a_worker,
    break_the_model,
    break_the_voice,
    withdraw_the_key,
    deafen,
    restart_the_server,
)
CLUSTER_FAULTS: tuple[Fault, ...] = (
    kill_a_node,
    drain_a_node,
    freeze_a_node,
    kill_redis,
    lose_a_machine,
)
"""Where there are several nodes, each of these strikes once, in place of `restart_the_server`."""


def plan(count: int, chance: random.Random, *, nodes: int = 1) -> tuple[list[Fault], list[Fault]]:
    """This many faults in random order, each kind about as often as the others.

    In two lists, which strike at the same time: of the cluster, and of all else.
    """
    kinds = FAULTS if nodes == 1 else FAULTS[:-1]
    of_cluster = [] if nodes == 1 else chance.sample(CLUSTER_FAULTS, len(CLUSTER_FAULTS))[:count]
    count -= len(of_cluster)
    rounds = range(count // len(kinds) + 1)
    others = [each for _ in rounds for each in chance.sample(kinds, len(kinds))][:count]
    return of_cluster, others


async def control(
    fleet: Fleet,
    path: str,
    body: Any = None,  # any JSON
    *,
    method: str = "POST",
) -> None:
    """Ask the stand-ins for something, at their control address."""
    async with (
        aiohttp.ClientSession(fleet.places.stand_ins.control_url) as session,
        session.request(method, path, json=body) as answer,
    ):
        if answer.status != 404:  # nobody is on the line whom it could strike
            answer.raise_for_status()
