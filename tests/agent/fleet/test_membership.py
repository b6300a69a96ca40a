"""Workers of a fleet with a real Redis: who leads, what it knows of the others, and who is next."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from agent.fleet.client import FleetRedis, key
from agent.fleet.duty import BEAT_SECONDS, Duty
from agent.fleet.membership import UNTOLD_AT_ONCE, Membership
from agent.fleet.presence import PRESENCE_SECONDS, Agent
from workbench.local.processes import Command, Process
from workbench.local.redis_server import RedisServer

PATIENCE_SECONDS = 10.0


class Worker:
    """One that has a single call, and two free places."""

    def __init__(self, server: RedisServer, name: str, fleet: str = "fleet") -> None:
        self.agent = Agent(room=f"room of {name}", identity=name)
        self._redis = FleetRedis(SecretStr(server.url))
        self.fleet = Membership(self._redis, fleet, "version", lambda: (2, (self.agent,)))
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Worker":
        self._running = asyncio.create_task(self.fleet.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """End in good order."""
        assert self._running
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        await self._redis.aclose()


LEADER = """
import asyncio, sys
from pydantic import SecretStr
from agent.fleet.client import FleetRedis
from agent.fleet.membership import Membership
from agent.fleet.presence import Agent

agent = Agent(room="room", identity="of a process")
fleet = Membership(FleetRedis(SecretStr(sys.argv[1])), "fleet", "", lambda: (1, (agent,)))
asyncio.run(fleet.run())
"""


@asynccontextmanager
async def leading_process(server: RedisServer, log: Path) -> AsyncIterator[int]:
    """A process that leads the fleet; its id."""
    argv = [sys.executable, "-c", LEADER, server.url]
    async with Process(Command("leader", argv, log)) as process, server.client() as client:
        for _ in range(int(PATIENCE_SECONDS / 0.05)):
            if await client.exists(key("fleet", "fleet", "lease")):
                break
            await asyncio.sleep(0.05)
        (child,) = psutil.Process(process.pid).children()
        yield child.pid
        with contextlib.suppress(psutil.NoSuchProcess):
            child.resume()


@asynccontextmanager
async def workers(server: RedisServer, *names: str) -> AsyncIterator[list[Worker]]:
    """These, once one of them leads and knows all."""
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(Worker(server, each)) for each in names]
        everybody = {each.agent for each in found}
        await until(lambda: any(known(each) == everybody for each in found))
        yield found


def known(worker: Worker) -> frozenset[Agent]:
    others = worker.fleet.others
    return others.agents if others else frozenset()


def duties(found: Sequence[Worker]) -> list[Duty]:
    return sorted(each.fleet.duty for each in found)


async def until(holds: Callable[[], object]) -> float:
    """Wait for a condition; how many seconds it took."""
    began = asyncio.get_running_loop().time()
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        if holds():
            return asyncio.get_running_loop().time() - began
        await asyncio.sleep(0.02)
    return pytest.fail("it did not come about")


async def test_without_redis_a_worker_looks_after_everything_and_sees_its_own_webhooks() -> None:
    fleet = Membership(None, "fleet", "", lambda: (1, ()))
    await fleet.run()
    assert fleet.duty is Duty.ALONE
    assert fleet.others is None
    fleet.note_change("room")
    assert fleet.take_changes() == {"room"}
    assert fleet.take_changes() == set()


async def test_one_leads_and_knows_the_calls_and_places_of_all(redis: RedisServer) -> None:
    async with workers(redis, "a", "b", "c") as found:
        assert duties(found) == [Duty.FOLLOWS, Duty.FOLLOWS, Duty.LEADS]
        (leader,) = (each for each in found if each.fleet.duty is Duty.LEADS)
        assert leader.fleet.others
        assert leader.fleet.others.places == 6
        assert leader.fleet.others.versions == {"version": 3}


async def test_a_fleet_knows_nothing_of_another_one(redis: RedisServer) -> None:
    async with workers(redis, "a"), Worker(redis, "b", "another") as other:
        await until(lambda: known(other) == {other.agent})


async def test_what_a_webhook_says_to_one_worker_is_known_to_the_one_that_leads(
    redis: RedisServer,
) -> None:
    async with workers(redis, "a", "b") as found:
        leader, follower = sorted(found, key=lambda each: each.fleet.duty is not Duty.LEADS)
        follower.fleet.note_change("room")
        changed: set[str] = set()
        await until(lambda: changed.update(leader.fleet.take_changes() or ()) or changed)
        assert changed == {"room"}
        assert follower.fleet.take_changes() == set()


async def test_who_leaves_in_good_order_hands_the_lease_over_at_once(redis: RedisServer) -> None:
    async with workers(redis, "a", "b") as found:
        leader, follower = sorted(found, key=lambda each: each.fleet.duty is not Duty.LEADS)
        await leader.stop()
        assert await until(lambda: follower.fleet.duty is Duty.LEADS) < 1.0
        await until(lambda: known(follower) == {follower.agent})


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_another_leads_within_two_seconds_of_the_leaders_death_or_freezing(
    redis: RedisServer, tmp_path: Path, blow: signal.Signals
) -> None:
    async with leading_process(redis, tmp_path / "log") as pid, Worker(redis, "a") as worker:
        await asyncio.sleep(2 * BEAT_SECONDS)
        assert worker.fleet.duty is Duty.FOLLOWS
        os.kill(pid, blow)
        assert await until(lambda: worker.fleet.duty is Duty.LEADS) < 2.0
        # What it wrote last is there for a while; then its agents are to be asked.
        assert await until(lambda: known(worker) == {worker.agent}) < PRESENCE_SECONDS


async def test_while_redis_is_frozen_all_go_on_by_themselves_and_then_one_leads_again(
    redis: RedisServer,
) -> None:
    async with workers(redis, "a", "b") as found:
        leader, follower = sorted(found, key=lambda each: each.fleet.duty is not Duty.LEADS)
        redis.freeze()
        assert await until(lambda: leader.fleet.duty is Duty.ALONE) < 2.0
        await until(lambda: follower.fleet.duty is Duty.ALONE)
        assert leader.fleet.others is None
        redis.thaw()
        await until(lambda: duties(found) == [Duty.FOLLOWS, Duty.LEADS])
        assert any(each.fleet.take_changes() is None for each in found)


async def test_one_that_cannot_look_after_the_rooms_leaves_it_to_another(
    redis: RedisServer,
) -> None:
    async with workers(redis, "a", "b") as found:
        leader, follower = sorted(found, key=lambda each: each.fleet.duty is not Duty.LEADS)
        leader.fleet.decline()
        assert await until(lambda: follower.fleet.duty is Duty.LEADS) < 1.5
        await until(lambda: leader.fleet.duty is Duty.FOLLOWS)


async def test_where_there_is_no_other_it_tries_again(redis: RedisServer) -> None:
    async with workers(redis, "a") as (only,):
        only.fleet.decline()
        await until(lambda: only.fleet.duty is Duty.FOLLOWS)
        await until(lambda: only.fleet.duty is Duty.LEADS)


async def test_callers_who_are_to_be_told_that_nobody_is_free_are_spread_over_all_workers(
    redis: RedisServer,
) -> None:
    rooms = {f"room {number}" for number in range(4 * UNTOLD_AT_ONCE)}
    async with workers(redis, "a", "b") as found:
        leader, follower = sorted(found, key=lambda each: each.fleet.duty is not Duty.LEADS)
        for room in (*rooms, *rooms):  # each is left to others once
            leader.fleet.leave_to_others(room)
        taken: dict[str, list[str]] = {"leader": [], "follower": []}

        def all_taken() -> bool:
            taken["leader"] += leader.fleet.take_untold()
            taken["follower"] += follower.fleet.take_untold()
            return len(taken["leader"] + taken["follower"]) >= len(rooms)

        await until(all_taken)
        assert sorted(taken["leader"] + taken["follower"]) == sorted(rooms)
        assert taken["leader"]
        assert taken["follower"]
