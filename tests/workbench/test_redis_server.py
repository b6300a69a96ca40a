"""The Redis of the tests is a real one, and every way in which it can fail is planted for real."""

import asyncio
from pathlib import Path

import pytest
from redis import exceptions
from redis.asyncio import Redis

from workbench.local.redis_server import NoRedisServerError, RedisServer, redis_server


async def test_a_killed_server_begins_empty_at_the_same_address(redis: RedisServer) -> None:
    async with redis.client() as client:
        await client.set("a", "1")
        assert await client.get("a") == "1"
    await redis.kill()
    async with redis.client() as client:
        with pytest.raises(exceptions.ConnectionError):
            await client.get("a")
    await redis.start()
    async with redis.client() as client:
        assert await client.get("a") is None


async def test_a_frozen_server_answers_when_it_thaws(redis: RedisServer) -> None:
    redis.freeze()
    impatient = Redis.from_url(redis.url, socket_timeout=0.1, socket_connect_timeout=0.1)
    with pytest.raises(exceptions.TimeoutError):
        await impatient.ping()
    redis.thaw()
    assert await impatient.ping()
    await impatient.aclose()


async def test_a_full_server_takes_no_data(redis: RedisServer) -> None:
    async with redis.client() as client:
        await redis.fill()
        with pytest.raises(exceptions.OutOfMemoryError):
            await client.set("a", "1")
        await redis.empty()
        assert await client.set("a", "1")


async def test_a_paused_server_is_slow_and_loses_nothing(redis: RedisServer) -> None:
    loop = asyncio.get_running_loop()
    await redis.pause(50)
    began = loop.time()
    async with redis.client() as client:
        assert await client.ping()
    assert loop.time() - began >= 0.03


async def test_a_password_and_a_unix_socket(tmp_path: Path) -> None:
    async with redis_server(tmp_path, password="s3cret") as server:
        by_socket = Redis.from_url(server.socket_url)
        assert await by_socket.ping()
        await by_socket.aclose()
        stranger = Redis.from_url(f"redis://{server.place}")
        with pytest.raises(exceptions.AuthenticationError):
            await stranger.ping()
        await stranger.aclose()


async def test_without_the_program_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoRedisServerError, match="make test"):
        await RedisServer(tmp_path).start()
