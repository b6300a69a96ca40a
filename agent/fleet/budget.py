"""The budget of AssemblyAI's new sessions, shared by all machines of a fleet through Redis.

The moving window is the library's (`limits`): a list in Redis with the time of each new session,
which a script of its reads and writes in one step. Each machine counts what it took in its own
file as well, and goes on by that while Redis is away.
"""

import functools
import logging
import time

from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from agent.fleet.client import NOT_NOW, FleetRedis, NotNow, key
from stt_assemblyai.budget import (
    WINDOW_SECONDS,
    MachineBudget,
    digest_of,
    file_for,
    pause_seconds,
    window,
)

log = logging.getLogger(__name__)


@functools.cache
def fleet_budget(redis: FleetRedis, per_minute: int, account: str) -> "FleetBudget":
    """The one of this process for an account: `account` is AssemblyAI's key."""
    return FleetBudget(redis, per_minute, account)


class FleetBudget:
    """So many new sessions in any minute, for all processes of all machines together."""

    def __init__(self, redis: FleetRedis, per_minute: int, account: str) -> None:
        """Of the key `account` only a digest leaves this process."""
        self._redis = redis
        self._item = window(per_minute)
        self._account = digest_of(account)
        self._of_this_machine = MachineBudget(per_minute, file_for(account))
        self._storage = RedisStorage(
            "async+redis://",  # its address is the pool's
            implementation="redispy",
            key_prefix=key("budget"),
            connection_pool=redis.pool,  # type: ignore[arg-type]  # it takes redis' own options
        )
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._is_alone = False

    async def take(self) -> float:
        """0 if a session may begin now, which is then counted; else how many seconds to wait, at
        least, before asking again. Takes as long as Redis may, and raises nothing."""
        # Redis may have been emptied: then each machine still holds to what it has counted.
        if pause := self._of_this_machine.pause_seconds():
            return pause
        answer = await self._redis.ask(lambda _: self._take())
        self._note(answer)
        if answer is NOT_NOW or answer == 0:
            own = self._of_this_machine.take_now()
            return own if answer is NOT_NOW else 0
        return answer

    async def free(self, within_seconds: float) -> int:
        """How many sessions all machines together could open within this time, less than a
        minute."""
        expiry = WINDOW_SECONDS - round(within_seconds)
        name = self._item.key_for(self._account)
        found = await self._redis.ask(
            lambda _: self._storage.get_moving_window(name, self._item.amount, expiry)
        )
        self._note(found)
        own = self._of_this_machine.free(within_seconds)
        return own if found is NOT_NOW else min(own, self._item.amount - found[1])

    async def _take(self) -> float:
        if await self._limiter.hit(self._item, self._account):
            return 0
        stats = await self._limiter.get_window_stats(self._item, self._account)
        return pause_seconds(0 if stats.remaining else stats.reset_time, time.time())

    def _note(self, answer: object | NotNow) -> None:
        """Say once that this machine counts for itself, until it does not."""
        is_alone = answer is NOT_NOW
        if is_alone and not self._is_alone:
            log.warning("this machine alone counts its new sessions with AssemblyAI")
        self._is_alone = is_alone
