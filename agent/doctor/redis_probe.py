"""Asks a Redis what it is, and tries whether it takes data; with a deadline."""

import asyncio
import secrets
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from agent.doctor.answers import Failure, Trouble
from agent.doctor.redis import RedisResult, RedisSeen, Refused
from agent.fleet.client import key

ASK_SECONDS = 3.0
_LONGEST = 200  # characters of what Redis says


async def ask_redis(url: SecretStr) -> RedisResult:
    """What the Redis at this address says of itself, or the trouble on the way; never raises."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError, ResponseError

    client = Redis.from_url(
        url.get_secret_value(),
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        client_name="livekit-agent-doctor",
    )
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await _look(client)
    except ResponseError as error:
        return Refused(f"{error}"[:_LONGEST])
    except (RedisError, OSError, TimeoutError) as error:
        return _failure(error)
    finally:
        await client.aclose()


async def _look(client: Any) -> RedisSeen:  # redis' methods are typed for both of its clients
    from redis.exceptions import ResponseError

    refusal = ""
    try:
        await client.set(key("doctor", secrets.token_hex(4)), "", px=1000)
    except ResponseError as error:
        refusal = f"{error}"[:_LONGEST]
    asked = time.time()
    seconds, microseconds = await client.time()
    now = (asked + time.time()) / 2
    info: Mapping[str, Any] = {**await client.info("server"), **await client.info("memory")}
    return RedisSeen(
        version=str(info.get("redis_version", "")),
        used_bytes=int(info.get("used_memory", 0)),
        most_bytes=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", "")),
        clock_ahead_seconds=now - seconds - microseconds / 1e6,
        refusal=refusal,
    )


def _failure(error: BaseException) -> Failure | Refused:
    """The trouble behind an error of redis' client, which repeats the system's in its own."""
    from redis.exceptions import AuthenticationError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    if isinstance(error, AuthenticationError):
        return Refused(f"{error}"[:_LONGEST])
    match error.__cause__ or error.__context__ or error:
        case socket.gaierror():
            return Failure(Trouble.NO_NAME)
        case ConnectionRefusedError() | FileNotFoundError():
            return Failure(Trouble.REFUSED)
        case ssl.SSLCertVerificationError() as found:
            return Failure(Trouble.CERTIFICATE, found.verify_message)
        case ssl.SSLError():
            return Failure(Trouble.NO_TLS)
        case TimeoutError() | RedisTimeoutError() | asyncio.CancelledError():
            return Failure(Trouble.SILENT)
        case OSError() as found if found.strerror:
            return Failure(Trouble.UNREACHABLE, found.strerror)
        case _:
            return Failure(Trouble.NO_HTTP)
