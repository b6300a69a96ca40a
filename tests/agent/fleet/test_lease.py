"""One of several workers holds the lease, in a real Redis."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from agent.fleet.duty import LEASE_SECONDS
from agent.fleet.lease import Lease
from workbench.local.redis_server import RedisServer

KEY = "agent:test:lease"


@pytest.fixture
async def client(redis: RedisServer) -> AsyncIterator["Redis"]:
    async with redis.client() as client:
        yield client


async def test_one_holds_it_and_renews_it_until_it_hands_it_back(client: "Redis") -> None:
    first, second = Lease(KEY, "first"), Lease(KEY, "second")
    assert await first.hold(client)
    assert not await second.hold(client)
    assert await first.hold(client)
    await second.hand_back(client)  # it has none
    assert not await second.hold(client)
    await first.hand_back(client)
    assert await second.hold(client)


async def test_it_ends_by_itself_and_who_was_frozen_meanwhile_has_lost_it(client: "Redis") -> None:
    first, second = Lease(KEY, "first"), Lease(KEY, "second")
    assert await first.hold(client)
    assert 0 < await client.pttl(KEY) <= LEASE_SECONDS * 1000
    await client.delete(KEY)  # as when its time is up
    assert await second.hold(client)
    assert not await first.hold(client)
    assert await second.hold(client)


async def test_who_wakes_up_late_takes_it_if_nobody_else_has(client: "Redis") -> None:
    lease = Lease(KEY, "first")
    assert await lease.hold(client)
    await client.delete(KEY)
    assert await lease.hold(client)


async def test_renewing_makes_it_last_as_long_as_at_first(client: "Redis") -> None:
    lease = Lease(KEY, "first")
    await lease.hold(client)
    await client.pexpire(KEY, 100)
    await lease.hold(client)
    assert await client.pttl(KEY) > 1000
