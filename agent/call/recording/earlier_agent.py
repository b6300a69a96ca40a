"""What an agent on another machine has recorded of a call before it died."""

import asyncio
import contextlib
import time
from pathlib import Path

from livekit.agents import JobContext

from agent.call.history.record import record_file
from agent.fleet.client import open_redis
from agent.fleet.live_calls import restore
from agent.records.completing import complete
from agent.records.store import LIVE, StoreError
from agent.records.stores import open_store
from config.behaviour import AgentSettings
from config.load import texts

STORE_SECONDS = 1.0
YOUNG_SECONDS = 5.0
"""In a room that is younger no agent has died yet, and nobody waits for a store."""


async def complete_record(job: JobContext) -> None:
    """Complete the record of the job's call with it: from Redis, within half a second; without one
    from the store for records, within a second."""
    agent: AgentSettings = job.proc.userdata["parts"].settings.agent
    if agent.record_dir is None:
        return
    room = job.job.room
    record = record_file(agent.record_dir, room.sid)
    if redis := open_redis(agent.redis_url):
        await restore(redis, room.sid, record)
    elif agent.record_store and time.time() - room.creation_time > YOUNG_SECONDS:
        with contextlib.suppress(StoreError, OSError, TimeoutError):
            async with asyncio.timeout(STORE_SECONDS):
                await _from_store(agent.record_store, record)


async def _from_store(where: str, record: Path) -> None:
    store = open_store(where, texts())
    if store and (there := await store.get(f"{LIVE}/{record.name}")):
        complete(record, there.decode(errors="replace").splitlines())
