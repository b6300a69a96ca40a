"""Redis answers in time or "not now": a real server is killed, frozen, filled and refuses us."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.fleet.client import (
    LONGEST_PAUSE_SECONDS,
    NOT_NOW,
    FleetRedis,
    NotNow,
    key,
    open_redis,
)
from workbench.local.livekit_server import free_port
from workbench.local.redis_server import RedisServer, redis_server

AWAY, BACK = "Redis is away; calls go on without it", "Redis is back"
Break = Callable[[RedisServer], Awaitable[None]]


@pytest.fixture
async def client(redis: RedisServer) -> AsyncIterator[FleetRedis]:
    made = FleetRedis(SecretStr(redis.url))
    yield made
    await made.aclose()


async def put(client: FleetRedis) -> bool | NotNow | None:
    return await client.ask(lambda redis: redis.set("a", "1"), within_seconds=0.2)


async def until_back(client: FleetRedis) -> None:
    """As somebody who asks again and again. Each pause is a part of the longest one."""
    for _ in range(int(2 * LONGEST_PAUSE_SECONDS / 0.02)):
        if await put(client) is not NOT_NOW:
            return
        await asyncio.sleep(0.02)
    pytest.fail("it is away for good")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records if each.name == "agent.fleet.client"]


async def test_it_gives_what_redis_answers(client: FleetRedis) -> None:
    assert await put(client) is True
    assert await client.ask(lambda redis: redis.get("a")) == "1"
    assert await client.ask(lambda redis: redis.get("nothing")) is None
    assert not client.is_away


async def killed(redis: RedisServer) -> None:
    await redis.kill()


async def frozen(redis: RedisServer) -> None:
    redis.freeze()


async def filled(redis: RedisServer) -> None:
    await redis.fill()


async def read_only(redis: RedisServer) -> None:
    async with redis.client() as other:
        await other.replicaof("127.0.0.1", "1")


async def started(redis: RedisServer) -> None:
    await redis.start()


async def thawed(redis: RedisServer) -> None:
    redis.thaw()


async def emptied(redis: RedisServer) -> None:
    await redis.empty()


async def primary_again(redis: RedisServer) -> None:
    async with redis.client() as other:
        await other.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("fail", "mend"),
    [
        (killed, started),
        (frozen, thawed),
        (filled, emptied),
        (read_only, primary_again),
    ],
    ids=lambda each: each.__name__,
)
async def test_it_says_once_that_redis_is_away_and_once_that_it_is_back(
    redis: RedisServer,
    client: FleetRedis,
    caplog: pytest.LogCaptureFixture,
    fail: Break,
    mend: Break,
) -> None:
    caplog.set_level(logging.INFO)
    assert await put(client) is True
    await fail(redis)
    answers = await asyncio.gather(*(put(client) for _ in range(20)))
    assert set(answers) == {NOT_NOW}
    assert client.is_away
    assert told(caplog) == [AWAY]
    await mend(redis)
    await until_back(client)
    assert not client.is_away
    assert told(caplog) == [AWAY, BACK]


async def test_while_it_is_away_nobody_waits_for_it(redis: RedisServer, client: FleetRedis) -> None:
    redis.freeze()
    assert await put(client) is NOT_NOW
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await put(client) is NOT_NOW
    assert loop.time() - began < 0.05


async def test_a_server_that_loses_all_connections_is_not_away(
    redis: RedisServer, client: FleetRedis, caplog: pytest.LogCaptureFixture
) -> None:
    await put(client)
    async with redis.client() as other:
        await other.client_kill_filter(_type="normal", skipme=True)
    assert await put(client) is True
    assert told(caplog) == []


async def test_a_server_that_forgets_everything_is_not_away(
    redis: RedisServer, client: FleetRedis
) -> None:
    await put(client)
    async with redis.client() as other:
        await other.flushall()
    assert await client.ask(lambda redis: redis.get("a")) is None


async def test_a_command_that_cannot_be_is_told_and_leaves_the_others_alone(
    client: FleetRedis, caplog: pytest.LogCaptureFixture
) -> None:
    await client.ask(lambda redis: redis.rpush("list", "1"))
    assert await client.ask(lambda redis: redis.get("list")) is NOT_NOW
    assert not client.is_away
    assert told(caplog) == ["Redis refused a command"]


@pytest.mark.parametrize("password", ["wrong-password", ""])
async def test_a_password_that_is_refused_is_in_no_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, password: str
) -> None:
    async with redis_server(tmp_path, password="right-password") as server:
        url = f"redis://:{password}@{server.place}" if password else f"redis://{server.place}"
        client = FleetRedis(SecretStr(url))
        assert await put(client) is NOT_NOW
        await client.aclose()
    (line,) = caplog.records
    assert line.message == AWAY
    assert "assword" not in str(vars(line)).replace("username-password pair", "")


async def test_a_server_without_tls_is_away_for_who_wants_it(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = FleetRedis(SecretStr(f"rediss://{redis.place}"))
    assert await put(client) is NOT_NOW
    assert told(caplog) == [AWAY]
    await client.aclose()


async def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    made = ["-keyout", "key.pem", "-out", "certificate.pem", "-days", "1", "-subj", "/CN=redis"]
    process = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
        cwd=tmp_path,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    certificate, port = tmp_path / "certificate.pem", free_port()
    options = ["--tls-port", str(port), "--tls-auth-clients", "no"]
    options += ["--tls-cert-file", str(certificate), "--tls-ca-cert-file", str(certificate)]
    options += ["--tls-key-file", str(tmp_path / "key.pem")]
    async with redis_server(tmp_path / "redis", options=options):
        url = f"rediss://127.0.0.1:{port}"
        trusting = FleetRedis(SecretStr(f"{url}?ssl_ca_certs={certificate}"))
        assert await trusting.ask(lambda redis: redis.set("a", "1"), within_seconds=5) is True
        await trusting.aclose()
        stranger = FleetRedis(SecretStr(url))
        assert await stranger.ask(lambda redis: redis.set("a", "1"), within_seconds=5) is NOT_NOW
        await stranger.aclose()


async def test_a_slow_redis_is_waited_for(redis: RedisServer, client: FleetRedis) -> None:
    await redis.pause(300)
    assert await client.ask(lambda redis: redis.set("a", "1"), within_seconds=5) is True
    assert not client.is_away


async def test_a_unix_socket_does(redis: RedisServer) -> None:
    client = FleetRedis(SecretStr(redis.socket_url))
    assert await put(client) is True
    await client.aclose()


async def test_a_process_keeps_few_connections(redis: RedisServer, client: FleetRedis) -> None:
    await asyncio.gather(*(put(client) for _ in range(50)))
    async with redis.client() as other:
        ours = [each for each in await other.client_list() if each["name"] == "livekit-agent"]
    assert 1 <= len(ours) <= 4


async def test_what_the_question_itself_raises_is_raised(client: FleetRedis) -> None:
    async def fails(_: object) -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await client.ask(fails)


def test_without_an_address_there_is_none() -> None:
    assert open_redis(None) is None
    assert open_redis(SecretStr("redis://127.0.0.1:1"))


def test_keys_have_a_prefix() -> None:
    assert key("live", "RM_a") == "agent:live:RM_a"
