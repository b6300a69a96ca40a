"""Puts the records of running calls into the store now and then, where no Redis has them.

So an agent on another machine can go on with a call whose machine has died.
"""

import asyncio
import logging
from pathlib import Path

from agent.records.claims import alone
from agent.records.kept_calls import has_ended, kept_calls
from agent.records.store import LIVE, Store, StoreError

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
"""So much of what was said may be lost with a machine."""


class LiveRecords:
    """The running calls of one folder, as the store has them."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder.resolve()
        self._store = store
        self._put: dict[str, float] = {}
        """When each record had changed that the store has, by its name."""
        self._is_away = False

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Put what has changed, and remove what is over. Raises nothing."""
        try:
            for record, changed_at in (await asyncio.to_thread(self._running)).items():
                if self._put.get(record.name) != changed_at:
                    await self._store.put(f"{LIVE}/{record.name}", record)
                    self._put[record.name] = changed_at
            for name in [each for each in self._put if not (self._folder / each).exists()]:
                await self._store.remove(f"{LIVE}/{name}")
                del self._put[name]
            self._is_away = False
        except (StoreError, OSError) as error:
            if not self._is_away:
                log.warning("the store takes no running calls", extra={"error": str(error)})
            self._is_away = True

    def _running(self) -> dict[Path, float]:
        """The records that somebody writes to, and when they changed."""
        found = {}
        for call in kept_calls(self._folder):
            if call.record and not has_ended(call.record):
                with alone(call.record) as is_idle:
                    if not is_idle:
                        found[call.record] = call.record.stat().st_mtime
        return found
