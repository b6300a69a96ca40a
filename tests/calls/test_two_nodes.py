"""Two LiveKit servers that share a Redis, behind one address, and three workers.

A room lives on one of the servers, and a worker is registered with one of them. What else happens
when one of them is gone is in docs/fleet.md.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from agent.livekit_private import REGISTERED_LINE
from workbench.local.calling.chronicle import chronicle
from workbench.local.calling.corpus import synthesised
from workbench.local.livekit_cluster import Cluster, livekit_cluster, registered_as
from workbench.local.livekit_server import LiveKitServer
from workbench.local.redis_server import redis_server
from workbench.local.workers import Places, Worker

NAME = "two-nodes"
ROOMS = itertools.count(1)
NAMED = synthesised("My name is Emma.")
ASKED = synthesised("What is my name?")


@dataclass(frozen=True, slots=True)
class House:
    """The nodes and the workers."""

    cluster: Cluster
    workers: tuple[Worker, ...]

    async def nodes(self) -> tuple[LiveKitServer, LiveKitServer, list[Worker]]:
        """A node with workers, the other node, and the workers of the first one; both run."""
        for node in self.cluster.nodes:
            if node.process.code is not None:
                await node.start_again()
        one, other = self.cluster.nodes
        if not self.cluster.workers_of(one, self.workers):
            one, other = other, one
        return one, other, self.cluster.workers_of(one, self.workers)

    async def call(self, stack: AsyncExitStack, node: LiveKitServer | None = None) -> Caller:
        """A caller in a room on this node, or on one that LiveKit chooses, who was greeted."""
        room = f"{NAME}-{next(ROOMS)}"
        if node:
            await self.cluster.open_room(room, node, NAME)
        joining = Caller.join(self.cluster.access, room, f"caller of {room}", NAME)
        caller = await stack.enter_async_context(joining)
        await greeting(caller, timeout_seconds=60)
        return caller


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(places: Any, tmp_path_factory: Any) -> AsyncIterator[House]:
    """The first worker registers with the first node, the others with the second."""
    logs: Path = tmp_path_factory.mktemp("two nodes")
    async with (
        redis_server(logs / "redis", password="not-a-secret") as redis,
        livekit_cluster(logs, redis.url) as cluster,
        AsyncExitStack() as stack,
    ):
        there = Places(cluster.access, places.stand_ins, logs)
        told = {"AGENT_NAME": NAME, "AGENT_MAX_CALLS": "2", "AGENT_REDIS_URL": redis.url}
        told |= {"AGENT_RECORD_DIR": str(logs / "records")}
        workers = tuple(Worker(there, f"worker {number}", told, "start") for number in (1, 2, 3))
        for node, ours in zip(cluster.nodes, (workers[:1], workers[1:]), strict=True):
            cluster.balancer.only = node.doors.port
            coming = (stack.enter_async_context(each.taking_calls()) for each in ours)
            await asyncio.gather(*coming)
        cluster.balancer.only = None
        yield House(cluster, workers)


async def registers_again(worker: Worker, *, after: str) -> None:
    """Return once the worker has registered under another name than this one."""
    await worker.process.wait_for_line(
        lambda line: REGISTERED_LINE in line and registered_as(worker) != after, timeout_seconds=30
    )


async def answered(caller: Caller) -> None:
    """Return when the agent has said the caller's name. Until both have found each other again, a
    question is heard by nobody, or in part."""
    for _ in range(3):
        await caller.another_agent(None, timeout_seconds=40)
        turn = await take_turn(caller, ASKED, timeout_seconds=10)
        if "emma" in words(turn.reply_text):
            return
    raise AssertionError(chronicle(caller))


async def test_a_caller_whose_livekit_node_is_killed_goes_on_over_another_one(
    house: House, figure: Any
) -> None:
    dying, other, its_workers = await house.nodes()
    names = [registered_as(each) for each in its_workers]
    assert names
    async with AsyncExitStack() as stack:
        calls = (house.call(stack, each) for each in (dying, other))
        there, elsewhere = await asyncio.gather(*calls)
        await asyncio.gather(
            *(take_turn(each, NAMED, timeout_seconds=40) for each in (there, elsewhere))
        )
        await dying.kill()
        killed = there.now_seconds
        turn = await take_turn(elsewhere, ASKED, timeout_seconds=10)
        assert "emma" in words(turn.reply_text), chronicle(elsewhere)
        await answered(there)
        waited = there.now_seconds - killed
        figure(f"a LiveKit node killed: its caller had an answer {waited:.1f} s later")
        assert house.cluster.holds(there.identity) is other
        for worker, name in zip(its_workers, names, strict=True):
            await registers_again(worker, after=name)


async def test_a_livekit_node_that_is_told_to_stop_keeps_its_calls_to_their_end_and_takes_no_other(
    house: House,
) -> None:
    leaving, other, its_workers = await house.nodes()
    names = [registered_as(each) for each in its_workers]
    assert names
    async with AsyncExitStack() as stack:
        caller = await house.call(stack, leaving)
        leaving.terminate()
        newcomer = await house.call(stack)
        assert house.cluster.holds(newcomer.identity) is other
        await take_turn(caller, NAMED, timeout_seconds=40)
        await answered(caller)
        assert house.cluster.holds(caller.identity) is leaving
        await caller.hang_up()
        assert await leaving.process.wait(timeout_seconds=20) == 0
        for worker, name in zip(its_workers, names, strict=True):
            await registers_again(worker, after=name)
        await take_turn(newcomer, NAMED, timeout_seconds=40)
        await answered(newcomer)
