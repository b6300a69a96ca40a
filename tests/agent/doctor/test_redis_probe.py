"""What a real Redis says of itself, and each trouble on the way to one."""

import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from agent.doctor import redis_probe
from agent.doctor.answers import Failure, Trouble
from agent.doctor.redis import RedisSeen, Refused
from agent.doctor.redis_probe import ask_redis
from workbench.local.redis_server import RedisServer, redis_server

Serve = Callable[..., AbstractAsyncContextManager[str]]


async def test_a_redis_tells_its_version_its_memory_and_its_clock(redis: RedisServer) -> None:
    seen = await ask_redis(SecretStr(redis.url))
    assert isinstance(seen, RedisSeen)
    assert seen.version[0].isdecimal()
    assert seen.used_bytes > 100_000
    assert (seen.most_bytes, seen.policy, seen.refusal) == (0, "noeviction", "")
    assert abs(seen.clock_ahead_seconds) < 0.5
    await redis.fill()
    full = await ask_redis(SecretStr(redis.url))
    assert isinstance(full, RedisSeen)
    assert "maxmemory" in full.refusal


async def test_a_frozen_redis_is_given_up(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_probe, "ASK_SECONDS", 0.2)
    redis.freeze()
    assert await ask_redis(SecretStr(redis.url)) == Failure(Trouble.SILENT)


@pytest.mark.parametrize("password", ["", "wrong-password"])
async def test_a_refusal_does_not_repeat_the_password(tmp_path: Path, password: str) -> None:
    async with redis_server(tmp_path, password="right-password") as server:
        asked = f":{password}@" if password else ""
        found = await ask_redis(SecretStr(f"redis://{asked}{server.place}"))
    assert isinstance(found, Refused)
    assert "right-password" not in found.words
    assert "wrong-password" not in found.words


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("redis://127.0.0.1:9", Trouble.REFUSED),
        ("unix:///nowhere/redis.sock", Trouble.REFUSED),
        ("redis://redis.invalid", Trouble.NO_NAME),
    ],
)
async def test_each_trouble_on_the_way_has_its_kind(url: str, trouble: Trouble) -> None:
    assert await ask_redis(SecretStr(url)) == Failure(trouble)


async def test_tls_that_is_wanted_and_not_there_and_the_reverse(
    redis: RedisServer, serve: Serve, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_probe, "ASK_SECONDS", 1.0)
    # Redis takes the greeting for the beginning of a command.
    assert await ask_redis(SecretStr(f"rediss://{redis.place}")) == Failure(Trouble.SILENT)

    async def handle(_: web.Request) -> web.Response:
        return web.Response()

    async with serve(handle, tls) as place:
        unsigned = await ask_redis(SecretStr(f"rediss://{place}"))
        assert isinstance(unsigned, Failure)
        assert unsigned.trouble is Trouble.CERTIFICATE
        plain = await ask_redis(SecretStr(f"redis://{place}"))
        assert isinstance(plain, Failure | Refused)
