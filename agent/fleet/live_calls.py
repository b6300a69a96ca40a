"""The lines of a call's record in Redis while it lasts, so that an agent on another machine can go
on from them.

They are there only where a record is kept, as the file has them: without card numbers, and gone as
soon as the caller refuses. The call's end removes them; when its agent dies they end by themselves.
No call waits for Redis: a task sends the lines. If Redis was away or has forgotten them, it sends
what is missing, from the file.
"""

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import Any

from agent.fleet.client import ANSWER_SECONDS, NOT_NOW, FleetRedis, NotNow, key
from agent.records.completing import absent, complete, lines_in, since_last_end
from agent.records.schema import End, Line
from agent.tasks import OwnedTask

KEPT_SECONDS = 900
"""After the last sign of life of the agent that writes them."""
SIGN_SECONDS = 300.0
MOST_LINES = 5000
"""Of one call: the newest."""
RETRY_SECONDS = 1.0
RESTORE_SECONDS = 0.5
"""For a call that begins: the caller waits for it."""


class LiveCall:
    """Keeps Redis as the file of a call's record is. Made in the event loop; never raises."""

    def __init__(self, redis: FleetRedis, room_sid: str, record: Path) -> None:
        self._redis = redis
        self._key = live_key(room_sid)
        self._record = record
        self._at: int | None = None
        """Up to this byte of the file Redis has it; None: it may lack anything."""
        self._length = 0
        """Of the list in Redis."""
        self._is_ours = False
        """Whether its agent has written anything: another one may have the call."""
        self._is_over = self._is_unwanted = self._is_closing = False
        self._news = asyncio.Event()
        self._sending = OwnedTask(self._send_on(), name="live call")

    def written(self, line: Line) -> None:
        """The file has this line. The last one, `End`, removes them all from Redis."""
        self._is_over |= isinstance(line, End)
        self._is_ours = True
        self._news.set()

    def forgotten(self) -> None:
        """The file holds no words any more."""
        self._is_unwanted = self._is_ours = True
        self._news.set()

    async def aclose(self) -> None:
        """Send the rest, within `ANSWER_SECONDS`, and no more."""
        self._is_closing = True
        self._news.set()
        if not self._redis.is_away:
            await asyncio.wait({self._sending.task}, timeout=ANSWER_SECONDS)
        await self._sending.aclose()

    async def _send_on(self) -> None:
        while not self._is_closing or self._news.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SIGN_SECONDS):
                    await self._news.wait()
            self._news.clear()
            if self._is_ours and not await self._send():
                self._at = None
                await asyncio.sleep(RETRY_SECONDS)
                self._news.set()

    async def _send(self) -> bool:
        """Whether Redis is as the file is now."""
        if self._is_over or self._is_unwanted:
            if await self._redis.ask(lambda redis: redis.delete(self._key)) is NOT_NOW:
                return False
            self._is_unwanted, self._at = False, None
            if self._is_over:
                return True
        if self._at is None:
            return await self._compare()
        return await self._add(*lines_in(self._record, self._at))

    async def _compare(self) -> bool:
        """Give each of the two what only the other has."""
        there = await self._redis.ask(partial(_lines_at, self._key))
        if there is NOT_NOW:
            return False
        if self._is_unwanted:  # by now
            return True
        with contextlib.suppress(OSError):  # what another agent wrote since this one came
            complete(self._record, there)
        lines, at = lines_in(self._record)
        current = since_last_end(lines)
        if set(lines[: len(lines) - len(current)]) & set(there):  # of a call that is over
            if await self._redis.ask(lambda redis: redis.delete(self._key)) is NOT_NOW:
                return False
            there = []
        self._length = len(there)
        return await self._add(absent(current[-MOST_LINES:], there), at)

    async def _add(self, lines: list[str], at: int) -> bool:
        length = await self._push(lines)
        if length is NOT_NOW:
            return False
        is_whole = length == min(self._length + len(lines), MOST_LINES)
        self._at, self._length = at, length
        if not is_whole:  # Redis has forgotten some, or another agent writes as well
            self._at = None
            self._news.set()
        return True

    async def _push(self, lines: list[str]) -> int | NotNow:
        async def push(redis: Any) -> int:  # its pipeline is not typed
            pipeline = redis.pipeline()
            if lines:
                pipeline.rpush(self._key, *lines)
            else:
                pipeline.llen(self._key)
            pipeline.ltrim(self._key, -MOST_LINES, -1)
            pipeline.expire(self._key, KEPT_SECONDS)
            length, *_ = await pipeline.execute()
            return min(int(length), MOST_LINES)

        return await self._redis.ask(push)


async def restore(redis: FleetRedis, room_sid: str, record: Path) -> None:
    """Complete the record of a call with what another machine has written of it. Raises nothing."""
    there = await redis.ask(partial(_lines_at, live_key(room_sid)), within_seconds=RESTORE_SECONDS)
    if there is NOT_NOW or not there:
        return
    with contextlib.suppress(OSError):  # the call goes on without what was said
        complete(record, there)


async def _lines_at(name: str, redis: Any) -> list[str]:  # its lists are not typed
    found: list[str] = await redis.lrange(name, 0, -1)
    return found


def live_key(room_sid: str) -> str:
    """Where the lines of the call in this room are."""
    return key("live", room_sid)
