"""Redis for one process: it answers in time or "not now", and no exception of its leaves here.

Redis is away when it cannot be reached, does not answer in time, refuses the password or takes no
data, as when it is full. Then a caller gets `NOT_NOW` at once, and goes on with what this
machine knows. After a pause that grows, one of them tries it again, in its own time. The log has
one line when Redis goes, and one when it is back.
"""

import asyncio
import functools
import logging
import random
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

if TYPE_CHECKING:
    from redis.asyncio import BlockingConnectionPool, Redis

log = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_SECONDS = 1.0
"""Within this Redis answers, or it is away."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
"""Until it is tried again."""

CONNECTIONS = 4
"""At most, for each process."""

PREFIX = "agent"
PROBE_MS = 1000
_LONGEST = 200  # characters of an error


class NotNow(Enum):
    """There is no answer from Redis at this moment."""

    NOT_NOW = auto()


NOT_NOW = NotNow.NOT_NOW


def key(*parts: str) -> str:
    """The name of a key of ours: `agent:live:RM_abc`. A Redis may have other tenants."""
    return ":".join((PREFIX, *parts))


class FleetRedis:
    """Redis as one process sees it, on one event loop. It connects with the first question."""

    def __init__(self, url: SecretStr) -> None:
        """Opens nothing. Raises ValueError for an address that no Redis can have."""
        self._pool, self._redis = _client(url)
        self._lost_at: float | None = None
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._next_try_at = 0.0

    @property
    def is_away(self) -> bool:
        """Whether it was away when somebody last tried."""
        return self._lost_at is not None

    @property
    def pool(self) -> "BlockingConnectionPool":
        """Its connections, for a library that brings its own client."""
        return self._pool

    async def ask(
        self,
        question: "Callable[[Redis], Awaitable[T]]",
        *,
        within_seconds: float = ANSWER_SECONDS,
    ) -> T | NotNow:
        """What `question` gets from Redis, or `NOT_NOW`, after `within_seconds` at the latest.

        A question that got `NOT_NOW` may have been carried out all the same. Raises nothing of
        Redis'; what else `question` raises is raised.
        """
        is_try = self.is_away
        if is_try and time.monotonic() < self._next_try_at:
            return NOT_NOW
        from redis.exceptions import RedisError, ResponseError

        try:
            async with asyncio.timeout(within_seconds):
                if is_try:
                    self._next_try_at = time.monotonic() + within_seconds  # one tries, not all
                    await self._redis.set(key("probe"), "", px=PROBE_MS)
                    self._note_return()
                return await question(self._redis)
        except ResponseError as error:
            if takes_no_data(error):
                self._note_loss(error, is_try=is_try)
            else:
                log.warning("Redis refused a command", extra={"error": _short(error)})
        except (RedisError, OSError, TimeoutError) as error:
            self._note_loss(error, is_try=is_try)
        return NOT_NOW

    async def aclose(self) -> None:
        """Close its connections, at the latest after `ANSWER_SECONDS`."""
        from redis.exceptions import RedisError

        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._pool.aclose()
        except (RedisError, OSError, TimeoutError):
            pass

    def _note_loss(self, error: Exception, *, is_try: bool) -> None:
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
            self._pause_seconds = FIRST_PAUSE_SECONDS
            log.warning("Redis is away; calls go on without it", extra={"error": _short(error)})
        elif is_try:
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        else:
            return  # asked before it was lost
        self._next_try_at = now + self._pause_seconds * random.uniform(0.5, 1)

    def _note_return(self) -> None:
        assert self._lost_at is not None
        log.info(
            "Redis is back", extra={"away_seconds": round(time.monotonic() - self._lost_at, 1)}
        )
        self._lost_at = None


def takes_no_data(error: Exception) -> bool:
    """Whether Redis refuses whatever is to be written: it is full, read-only, cannot save, or does
    not allow this user to."""
    from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError

    if isinstance(error, OutOfMemoryError | ReadOnlyError | NoPermissionError):
        return True
    # In a script the code is a word of the message.
    return any(code in f"{error}" for code in ("MISCONF", "OOM ", "NOAUTH", "READONLY"))


def _client(url: SecretStr) -> "tuple[BlockingConnectionPool, Redis]":
    # It takes 0.03 s and 4 MB to import, and only workers with a Redis need it.
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    pool = BlockingConnectionPool.from_url(
        url.get_secret_value(),
        max_connections=CONNECTIONS,
        timeout=None,  # `ask` waits no longer than it may
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        # A connection that has ended meanwhile is noticed before it is used.
        retry=Retry(NoBackoff(), 0),
        client_name="livekit-agent",
        decode_responses=True,
    )
    return pool, Redis(connection_pool=pool)


@functools.cache
def open_redis(url: SecretStr | None) -> FleetRedis | None:
    """This process' Redis at this address; None without an address. Opens nothing."""
    return FleetRedis(url) if url else None


def _short(error: Exception) -> str:
    """Its words, cut short; neither Redis nor its client repeats a password."""
    return (f"{error}".split("\n", 1)[0] or type(error).__name__)[:_LONGEST]
