"""What one worker knows of the others, and what it lets them know; with Redis, or without.

Keys, all of one fleet, that is of workers that take the same calls:

    agent:fleet:FLEET:lease      who looks after all rooms
    agent:fleet:FLEET:workers    the ids of the workers
    agent:fleet:FLEET:ID         the presence of one, as JSON
    agent:fleet:FLEET:changed    rooms in which something has changed, by LiveKit's webhooks
    agent:fleet:FLEET:untold     rooms whose callers are to be told that nobody is free
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent.fleet.client import NOT_NOW, FleetRedis, key
from agent.fleet.duty import AWAY_SECONDS, BEAT_SECONDS, Duty, Standing
from agent.fleet.lease import Lease
from agent.fleet.presence import PRESENCE_SECONDS, Agent, Presence, Roster

if TYPE_CHECKING:
    from redis.asyncio import Redis

CHANGED_SECONDS = 60.0
"""After this long a change that nobody has looked at is left to the next listing of rooms."""

CHANGED_AT_ONCE = 1000

UNTOLD_SECONDS = 10.0
"""Within this time one of the others tells a caller, or is asked again."""

UNTOLD_AT_ONCE = 3
"""How many of these callers a worker takes with each beat: the fleet shares them."""

DECLINED_SECONDS = 2.0
"""How long a worker that cannot look after the rooms leaves the lease to others."""

Shown = Callable[[], tuple[int, Iterable[Agent]]]
"""What others should know of a worker: its free places, and its calls."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What Redis said to one worker."""

    held: bool
    presences: list[Presence]
    changed: Iterable[str]


class Membership:
    """One worker in its fleet."""

    def __init__(self, redis: FleetRedis | None, fleet: str, version: str, shown: Shown) -> None:
        """`fleet` is a name that all workers of the same calls share, and no others."""
        self._redis = redis
        self._fleet = fleet
        self._version = version
        self._shown = shown
        self._id = uuid.uuid4().hex
        self._beat = 0
        self._lease = Lease(self._key("lease"), self._id)
        self._standing: Standing | None = None
        self._roster = Roster()
        self._changed: set[str] = set()
        self._may_lack_changes = False
        self._declined_until = 0.0
        self._left_at: dict[str, float] = {}
        self._to_leave: set[str] = set()
        self._untold: set[str] = set()

    @property
    def duty(self) -> Duty:
        """Which rooms this worker looks after at this moment."""
        if not self._redis:
            return Duty.ALONE
        return self._standing.duty(_now()) if self._standing else Duty.FOLLOWS

    @property
    def others(self) -> Roster | None:
        """The workers of the fleet, this one included; None for who does not lead it."""
        return self._roster if self.duty is Duty.LEADS else None

    def decline(self) -> None:
        """Leave it to others to lead, for a moment: this worker cannot, and one of them may."""
        self._declined_until = _now() + DECLINED_SECONDS

    def note_change(self, room: str) -> None:
        """LiveKit says that something has changed in a room."""
        self._changed.add(room)

    def take_changes(self) -> set[str] | None:
        """The rooms in which something has changed, for who looks after them; None if some of
        them may have been lost on the way."""
        taken, self._changed = self._changed, set()
        lacks, self._may_lack_changes = self._may_lack_changes, False
        return None if lacks else taken

    def leave_to_others(self, room: str) -> None:
        """Let any worker tell the callers in a room that nobody is free."""
        now = _now()
        self._left_at = {
            each: at for each, at in self._left_at.items() if now - at < UNTOLD_SECONDS
        }
        if room not in self._left_at:
            self._left_at[room] = now
            self._to_leave.add(room)

    def take_untold(self) -> set[str]:
        """Rooms whose callers this worker is to tell that nobody is free."""
        taken, self._untold = self._untold, set()
        return taken

    async def run(self) -> None:
        """Take part until cancelled; without Redis there is nothing to do."""
        if not (redis := self._redis):
            return
        self._standing = Standing(_now(), random.uniform(0, AWAY_SECONDS))
        try:
            while True:
                asked_at = _now()
                told = await redis.ask(self._meet)
                if told is NOT_NOW:
                    self._may_lack_changes = True
                else:
                    self._standing.answered(held=told.held, asked_at=asked_at)
                    self._roster.read(told.presences, _now())
                    self._changed.update(told.changed)
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            await redis.ask(self._leave)
            await redis.aclose()

    async def _meet(self, redis: "Redis") -> _Told:
        """Write the presence, renew the lease, and pass on what others should look after."""
        await self._write(redis)
        await self._pass_on(redis, "untold", self._to_leave, UNTOLD_SECONDS)
        if _now() < self._declined_until:
            await self._lease.hand_back(redis)
        elif await self._lease.hold(redis):
            return await self._read(redis)
        await self._pass_on(redis, "changed", self._changed, CHANGED_SECONDS)
        return _Told(False, [], ())

    async def _pass_on(
        self, redis: "Redis", name: str, rooms: set[str], lasts_seconds: float
    ) -> None:
        """Move these to a set that all share."""
        if passed := frozenset(rooms):
            async with redis.pipeline(transaction=False) as together:
                together.sadd(self._key(name), *passed)
                together.pexpire(self._key(name), int(lasts_seconds * 1000))
                await together.execute()
            rooms -= passed

    async def _write(self, redis: "Redis") -> None:
        self._beat += 1
        places, agents = self._shown()
        presence = Presence(
            worker=self._id,
            beat=self._beat,
            places=places,
            version=self._version,
            agents=tuple(agents),
        )
        async with redis.pipeline(transaction=False) as together:
            lasts_ms = int(PRESENCE_SECONDS * 1000)
            together.set(self._key(self._id), presence.model_dump_json(), px=lasts_ms)
            together.sadd(self._key("workers"), self._id)
            together.pexpire(self._key("workers"), lasts_ms)
            together.spop(self._key("untold"), UNTOLD_AT_ONCE)
            *_, untold = await together.execute()
        self._untold.update(untold)

    async def _read(self, redis: "Redis") -> _Told:
        """What the others have written. Ids of workers that are gone are taken off the list."""
        async with redis.pipeline(transaction=False) as together:
            together.smembers(self._key("workers"))
            together.spop(self._key("changed"), CHANGED_AT_ONCE)
            ids, changed = await together.execute()
        found = []
        async with redis.pipeline(transaction=False) as together:
            for each, text in zip(ids, await redis.mget(map(self._key, ids)), strict=True):
                if text is None:
                    together.srem(self._key("workers"), each)
                    continue
                with contextlib.suppress(ValidationError):  # of a version that we do not know
                    found.append(Presence.model_validate_json(text))
            await together.execute()
        return _Told(True, found, changed)

    async def _leave(self, redis: "Redis") -> None:
        await self._lease.hand_back(redis)
        await redis.delete(self._key(self._id))

    def _key(self, name: str) -> str:
        return key("fleet", self._fleet, name)


def _now() -> float:
    return asyncio.get_running_loop().time()
