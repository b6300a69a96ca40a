"""The lease: of all workers of a fleet, one looks after the rooms. It is a lock of Redis' client.

Who holds it must renew it. A holder that dies, or is frozen, renews nothing, and another takes it.
A holder that wakes up late renews in vain, since the lock has the other's token by then.
"""

import contextlib
from typing import TYPE_CHECKING

from agent.fleet.duty import LEASE_SECONDS

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Lease:
    """One worker's part in it."""

    def __init__(self, key: str, worker: str) -> None:
        """`worker` is an id that no other worker has."""
        self._key = key
        self._token = worker.encode()
        self._may_hold = False

    async def hold(self, redis: "Redis") -> bool:
        """Renew it, or take it if nobody has it. Whether this worker holds it now.

        Raises what Redis' client raises.
        """
        from redis.exceptions import LockError

        lock = redis.lock(self._key, timeout=LEASE_SECONDS, thread_local=False)
        if self._may_hold:
            lock.local.token = self._token
            try:
                return await lock.reacquire()
            except LockError:  # it is another's, or nobody's
                self._may_hold = False
        # If the answer is lost, the lock may be ours all the same: then it is renewed.
        self._may_hold = True
        self._may_hold = await lock.acquire(blocking=False, token=self._token)
        return self._may_hold

    async def hand_back(self, redis: "Redis") -> None:
        """Let another worker take it at once. Raises what Redis' client raises."""
        from redis.exceptions import LockError

        lock = redis.lock(self._key, thread_local=False)
        lock.local.token = self._token
        with contextlib.suppress(LockError):  # it is another's, or nobody's
            await lock.release()
        self._may_hold = False
