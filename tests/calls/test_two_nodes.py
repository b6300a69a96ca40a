"""Two LiveKit servers that share a Redis, behind one address, and three workers.

A room lives on one of the servers, and a worker is registered with one of them. What else happens
when one of them is gone is in docs/fleet.md.
"""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
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
    start: Callable[[], Awaitable[Worker]]
    started: list[Worker]

    @property
    def workers(self) -> list[Worker]:
        """Those that run."""
        return [each for each in self.started if each.process.code is None]

    async def nodes(self) -> tuple[LiveKitServer, LiveKitServer, list[Worker]]:
        """A node with workers, the other node, and the workers of the first one; all run."""
        for node in self.cluster.nodes:
            if node.process.code is not None:
                await node.start_again()
        if len(self.workers) < 2:
            await self.start()
        one, other = self.cluster.nodes
        if not self.cluster.workers_of(one, self.workers):
            one, other = other, one
        return one, other, self.cluster.workers_of(one, self.workers)

    def worker_of(self, caller: Caller) -> Worker:
        """The worker whose agent answers this caller."""
        begun = '"call started"', f'"room": "{caller.room_name}"'
        return next(
            worker
            for worker in self.workers
            for line in worker.process.lines
            if all(part in line for part in begun)
        )

    async def call(
        self,
        stack: AsyncExitStack,
        node: LiveKitServer | None = None,
        *,
        is_asked_for: bool = False,
    ) -> Caller:
        """A caller in a room on this node, or on one that LiveKit chooses, who was greeted.

        `is_asked_for`: the agent is asked for once the room is there, and not with it.
        """
        room = f"{NAME}-{next(ROOMS)}"
        name = "" if is_asked_for else NAME
        if node:
            await self.cluster.open_room(room, node, name)
        joining = Caller.join(self.cluster.access, room, f"caller of {room}", name)
        caller = await stack.enter_async_context(joining)
        if is_asked_for:
            await self.cluster.ask_for_agent(room, NAME)
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
        told = {"AGENT_NAME": NAME, "AGENT_MAX_CALLS": "3", "AGENT_REDIS_URL": redis.url}
        started: list[Worker] = []

        async def start() -> Worker:
            name = f"worker {len(started) + 1}"
            kept = {"AGENT_RECORD_DIR": str(logs / f"records of {name}")}  # as on its own machine
            started.append(Worker(there, name, told | kept, "start"))
            return await stack.enter_async_context(started[-1].taking_calls())

        for node, count in zip(cluster.nodes, (1, 2), strict=True):
            cluster.balancer.only = node.doors.port
            await asyncio.gather(*(start() for _ in range(count)))
        cluster.balancer.only = None
        yield House(cluster, start, started)


async def registers_again(worker: Worker, *, after: str) -> None:
    """Return once the worker has registered under another name than this one."""
    await worker.process.wait_for_line(
        lambda line: REGISTERED_LINE in line and registered_as(worker) != after, timeout_seconds=30
    )


async def answered(caller: Caller) -> float:
    """Wait until the agent has said the caller's name; the answer is when it began. Until both have
    found each other again, a question is heard by nobody, or in part."""
    for _ in range(6):
        await caller.another_agent(None, timeout_seconds=40)
        turn = await take_turn(caller, ASKED, timeout_seconds=10)
        if turn.reply and "emma" in words(turn.reply_text):
            return turn.reply.start_seconds
    raise AssertionError(chronicle(caller))


async def test_a_caller_whose_livekit_node_is_killed_goes_on_over_another_one(
    house: House, figure: Any
) -> None:
    dying, other, its_workers = await house.nodes()
    names = {each: registered_as(each) for each in its_workers}
    assert names
    async with AsyncExitStack() as stack:
        there, elsewhere, unlucky = await asyncio.gather(
            house.call(stack, dying),
            house.call(stack, other),
            house.call(stack, dying, is_asked_for=True),
        )
        callers = (there, elsewhere, unlucky)
        await asyncio.gather(*(take_turn(each, NAMED, timeout_seconds=40) for each in callers))
        # LiveKit remembers who was in the room, but not that an agent was asked for.
        dead = house.worker_of(unlucky)
        dead.process.signal_group(signal.SIGKILL)
        await dying.kill()
        killed = [each.now_seconds for each in callers]
        heard = await asyncio.gather(*map(answered, callers))
        waited = [at - since for at, since in zip(heard, killed, strict=True)]
        figure(
            f"a LiveKit node killed: its caller had an answer {waited[0]:.1f} s later, "
            f"{waited[2]:.1f} s if the worker died with it"
        )
        assert house.cluster.holds(there.identity) is other
        assert house.cluster.holds(elsewhere.identity) is other
        assert house.cluster.holds(unlucky.identity) is other
        for worker, name in names.items():
            if worker is not dead:
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
