"""Sends the records of calls that are over to the store, and removes those that are too old.

It lives in the worker's main process, so it also finds what an agent left that died. Of several
workers with the same folder, one at a time does it.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from agent.records.claims import alone
from agent.records.kept_calls import has_ended, kept_calls
from agent.records.outbox import SETTLED_SECONDS, Parcel, pack, parcels, sent
from agent.records.retention import Limits, remove, superfluous
from agent.records.store import LIVE, Store, StoreError
from agent.records.stores import open_store
from agent.tasks import first_of
from agent.worker.live_records import LiveRecords
from config.behaviour import AgentSettings

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 600.0
"""After the first failure of the store, and at most: the wait doubles with each."""
LAST_SECONDS = 5.0
"""For the last records of a worker that ends. What is not sent then, the next worker sends."""


def keeper_of(agent: AgentSettings, variables: Mapping[str, str]) -> "RecordKeeper | None":
    """What looks after the records that these settings want; None if there are none.

    `variables` hold the keys of an object store.
    """
    if agent.record_dir is None:
        return None
    store = None
    try:
        store = open_store(agent.record_store, variables)
    except StoreError as error:
        log.error("records cannot be sent: they stay here", extra={"error": str(error)})  # noqa: TRY400  one sentence, no stack
    limits = Limits(agent.record_keep_days, agent.record_keep_mb)
    live = None if agent.redis_url or not store else LiveRecords(agent.record_dir, store)
    return RecordKeeper(agent.record_dir, store, limits, live)


class RecordKeeper:
    """Looks after one folder of records."""

    def __init__(
        self, folder: Path, store: Store | None, limits: Limits, live: LiveRecords | None = None
    ) -> None:
        """`live` puts running calls into the store, where no Redis has them."""
        self._live = live
        self._folder = folder.resolve()
        self._store = store
        self._limits = limits
        self._ended = asyncio.Event()
        self._failures = 0
        self._refused: set[str] = set()
        """Parcels that the store has not taken: they wait until all others are sent."""
        self._not_before = 0.0
        """When the store is asked again, on the event loop's clock."""

    def call_ended(self) -> None:
        """A call's process has ended: look soon."""
        self._ended.set()

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_on())
            if self._live:
                group.create_task(self._live.run())

    async def _look_on(self) -> None:
        while True:
            await self.look()
            self._ended.clear()
            await first_of(asyncio.sleep(self._wait_seconds), self._ended.wait())
            await asyncio.sleep(SETTLED_SECONDS)

    async def finish(self) -> None:
        """No call is left: send what there is, within LAST_SECONDS."""
        self._not_before = 0.0
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self.look(settled_seconds=0)
        except TimeoutError:
            log.warning("records are not sent yet: the next worker sends them")

    async def look(self, settled_seconds: float = SETTLED_SECONDS) -> None:
        """Send what can be sent now, and remove what is superfluous. A call is over when nothing
        was written for `settled_seconds` after its end."""
        with alone(self._folder) as is_ours:
            if not is_ours:  # another worker does it
                return
            try:
                if self._store:
                    await asyncio.to_thread(pack, self._folder, time.time(), settled_seconds)
                    await self._send(self._store)
                await asyncio.to_thread(self._remove)
            except OSError as error:
                fields = {"folder": str(self._folder), "error": error.strerror}
                log.warning("the folder for records cannot be looked after", extra=fields)

    async def _send(self, store: Store) -> None:
        if asyncio.get_running_loop().time() < self._not_before:
            return
        found = await asyncio.to_thread(parcels, self._folder)
        for parcel in sorted(found, key=lambda each: each.name in self._refused):
            try:
                await self._send_one(store, parcel)
            except StoreError as error:
                self._refused.add(parcel.name)
                self._failed(str(error))
                return
        if self._failures:
            log.info("records are sent again")
            self._failures = 0

    async def _send_one(self, store: Store, parcel: Parcel) -> None:
        record = parcel.call.record
        another_went_on = record is not None and await _has_more(store, parcel.name, record)
        for file in parcel.call.files:
            if file != record or not another_went_on:
                await store.put(f"{parcel.name}/{file.name}", file)
        if record and not another_went_on:
            await store.remove(f"{LIVE}/{record.name}")
        await asyncio.to_thread(sent, self._folder, parcel)
        log.info("a record was sent", extra={"name_in_store": parcel.name})

    def _failed(self, error: str) -> None:
        if not self._failures:
            log.warning("the store takes no records: they stay here", extra={"error": error})
        self._failures += 1
        self._not_before = asyncio.get_running_loop().time() + self._wait_seconds

    @property
    def _wait_seconds(self) -> float:
        if not self._failures:
            return EVERY_SECONDS
        return min(SHORTEST_WAIT_SECONDS * 2.0 ** (self._failures - 1), LONGEST_WAIT_SECONDS)

    def _remove(self) -> None:
        if self._limits == Limits():
            return
        unsent = parcels(self._folder)
        calls = [*kept_calls(self._folder), *(parcel.call for parcel in unsent)]
        calls.sort(key=lambda call: call.changed_at)
        gone = [call for call in superfluous(calls, self._limits, time.time()) if remove(call)]
        if not gone:
            return
        lost = [parcel for parcel in unsent if parcel.call in gone]
        for parcel in lost:
            sent(self._folder, parcel)  # what is left is its empty folder
        size = sum(call.bytes for call in gone)
        fields = {"calls": len(gone), "bytes": size, "never_sent": len(lost)}
        log.info("old records were removed", extra=fields)


async def _has_more(store: Store, name: str, record: Path) -> bool:
    """Whether the store has this record already, and longer: its agent died, and one on another
    machine went on with the call and with the record. Raises StoreError."""
    if has_ended(record):
        return False
    there = await store.get(f"{name}/{record.name}")
    here = await asyncio.to_thread(record.stat)
    return there is not None and len(there) >= here.st_size
