"""Records are sent when calls are over, kept while the store is away, and removed when old."""

import asyncio
import json
import logging
import os
import time
from pathlib import Path

import pytest

from agent.records.claims import alone, open_claimed
from agent.records.outbox import SETTLED_SECONDS, parcels
from agent.records.retention import Limits
from agent.records.store import FolderStore, StoreError
from agent.worker.live_records import EVERY_SECONDS as LIVE_SECONDS
from agent.worker.record_keeper import (
    EVERY_SECONDS,
    LAST_SECONDS,
    LONGEST_WAIT_SECONDS,
    RecordKeeper,
    keeper_of,
)
from config.behaviour import AgentSettings

pytestmark = pytest.mark.looptime


def record(folder: Path, name: str, *, age_days: float = 1e-3) -> Path:
    path = folder / f"{name}.jsonl"
    at = time.time() - age_days * 86_400
    path.write_text(json.dumps({"kind": "call", "at": at}) + '\n{"kind": "end"}\n')
    path.with_suffix(".ogg").write_bytes(b"sound")
    for each in (path, path.with_suffix(".ogg")):
        os.utime(each, (at, at))
    return path


class Away:
    """A store that can be out of reach."""

    def __init__(self, folder: Path) -> None:
        self._store = FolderStore(folder)
        self.is_away = True
        self.asked: list[float] = []

    async def put(self, name: str, file: Path) -> None:
        self.asked.append(asyncio.get_running_loop().time())
        if self.is_away:
            raise StoreError("connection refused")
        await self._store.put(name, file)

    async def get(self, name: str) -> bytes | None:
        return await self._store.get(name)

    async def remove(self, name: str) -> None:
        await self._store.remove(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "records"
    made.mkdir()
    return made


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_a_call_that_is_over_is_sent_and_removed_here(folder: Path, tmp_path: Path) -> None:
    record(folder, "RM_1")
    running = open_claimed(record(folder, "RM_2"))
    await RecordKeeper(folder, FolderStore(tmp_path / "store"), Limits()).look()
    assert kept(tmp_path / "store") == ["RM_1.jsonl", "RM_1.ogg"]
    assert kept(folder) == ["RM_2.jsonl", "RM_2.ogg"]
    os.close(running)


async def test_while_the_store_is_away_everything_stays_and_is_sent_later(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = Away(tmp_path / "store")
    keeper = RecordKeeper(folder, store, Limits())
    work = asyncio.create_task(keeper.run())
    record(folder, "RM_1")
    await asyncio.sleep(4 * 3600)
    waits = [later - earlier for earlier, later in zip(store.asked, store.asked[1:], strict=False)]
    assert waits[:3] == pytest.approx([10, 15, 25], abs=1)
    assert max(waits) == pytest.approx(LONGEST_WAIT_SECONDS + SETTLED_SECONDS, abs=1)
    assert kept(folder) == ["RM_1.jsonl", "RM_1.ogg"]
    work.cancel()
    store.is_away = False
    later = RecordKeeper(folder, store, Limits())  # of the next worker
    await later.finish()
    assert kept(tmp_path / "store") == ["RM_1.jsonl", "RM_1.ogg"]
    assert kept(folder) == []
    told = [each.message for each in caplog.records]
    assert told == ["the store takes no records: they stay here", "a record was sent"]


async def test_a_call_that_the_store_refuses_keeps_no_other_from_it(
    folder: Path, tmp_path: Path
) -> None:
    class Picky(FolderStore):
        async def put(self, name: str, file: Path) -> None:
            if "RM_1" in name:
                raise StoreError("access denied")
            await super().put(name, file)

    record(folder, "RM_1", age_days=1)
    record(folder, "RM_2")
    work = asyncio.create_task(RecordKeeper(folder, Picky(tmp_path / "store"), Limits()).run())
    await asyncio.sleep(60)
    work.cancel()
    assert kept(tmp_path / "store") == ["RM_2.jsonl", "RM_2.ogg"]
    assert kept(folder) == ["RM_1.jsonl", "RM_1.ogg"]


async def test_it_says_when_the_store_is_back(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = Away(tmp_path / "store")
    keeper = RecordKeeper(folder, store, Limits())
    record(folder, "RM_1")
    await keeper.look()
    store.is_away = False
    await keeper.look()  # too soon
    assert len(store.asked) == 1
    await asyncio.sleep(EVERY_SECONDS)
    await keeper.look()
    assert caplog.records[-1].message == "records are sent again"


async def test_the_end_of_a_call_is_noticed_at_once(folder: Path, tmp_path: Path) -> None:
    store = Away(tmp_path / "store")
    store.is_away = False
    keeper = RecordKeeper(folder, store, Limits())
    work = asyncio.create_task(keeper.run())
    await asyncio.sleep(10)
    record(folder, "RM_1")
    ended = asyncio.get_running_loop().time()
    keeper.call_ended()
    await asyncio.sleep(2 * EVERY_SECONDS)
    work.cancel()
    assert store.asked[0] == pytest.approx(ended + SETTLED_SECONDS, abs=1)


async def test_old_records_are_removed_and_the_log_says_so(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    record(folder, "RM_1", age_days=40)
    running = open_claimed(record(folder, "RM_2", age_days=40))
    record(folder, "RM_3", age_days=1)
    await RecordKeeper(folder, None, Limits(days=30)).look()
    os.close(running)
    assert kept(folder) == ["RM_2.jsonl", "RM_2.ogg", "RM_3.jsonl", "RM_3.ogg"]
    (told,) = caplog.records
    assert told.message == "old records were removed"
    assert (vars(told)["calls"], vars(told)["never_sent"]) == (1, 0)


async def test_what_no_store_has_taken_is_removed_too(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    record(folder, "RM_1", age_days=40)
    await RecordKeeper(folder, Away(tmp_path / "store"), Limits(days=30)).look()
    assert kept(folder) == []
    assert parcels(folder) == []
    assert vars(caplog.records[-1])["never_sent"] == 1


async def test_one_worker_at_a_time_does_it(folder: Path, tmp_path: Path) -> None:
    record(folder, "RM_1")
    with alone(folder):
        await RecordKeeper(folder, FolderStore(tmp_path / "store"), Limits(days=1)).look()
    assert kept(folder) == ["RM_1.jsonl", "RM_1.ogg"]


async def test_a_store_that_hangs_keeps_no_worker_that_ends(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Hanging(Away):
        async def put(self, name: str, file: Path) -> None:
            await asyncio.Event().wait()

    record(folder, "RM_1")
    begun = asyncio.get_running_loop().time()
    await RecordKeeper(folder, Hanging(folder), Limits()).finish()
    assert asyncio.get_running_loop().time() - begun == pytest.approx(LAST_SECONDS, abs=1)
    assert [each.message for each in caplog.records] == [
        "records are not sent yet: the next worker sends them"
    ]


async def test_a_folder_that_fails_costs_one_line(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(folder, "RM_1")
    (folder / "outgoing").touch()
    await RecordKeeper(folder, FolderStore(tmp_path / "store"), Limits()).look()
    assert [each.message for each in caplog.records] == [
        "the folder for records cannot be looked after"
    ]


def test_who_keeps_no_records_has_no_keeper(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert keeper_of(AgentSettings(), {}) is None
    assert keeper_of(AgentSettings(record_dir=tmp_path, record_store="s3://bucket"), {})
    assert not caplog.records


async def test_a_record_that_another_machine_went_on_with_is_not_overwritten(
    folder: Path, tmp_path: Path
) -> None:
    """Its agent died with the call's beginning here; the store has the whole call by now."""
    store = FolderStore(tmp_path / "store")
    lost = folder / "RM_1.jsonl"
    lost.write_text('{"kind": "call", "at": 1.0}\n')
    sound = lost.with_suffix(".ogg")
    sound.write_bytes(b"sound")
    whole = tmp_path / "whole"
    whole.write_text('{"kind": "call", "at": 1.0}\n{"kind": "end"}\n')
    await store.put("1970-01-01/000001-RM_1/RM_1.jsonl", whole)
    for each in (lost, sound):
        os.utime(each, (1, 1))
    await RecordKeeper(folder, store, Limits()).look()
    kept_record = tmp_path / "store" / "1970-01-01" / "000001-RM_1" / "RM_1.jsonl"
    assert kept_record.read_text() == whole.read_text()
    assert kept_record.with_suffix(".ogg").read_bytes() == b"sound"
    assert kept(folder) == []


async def test_a_lost_record_that_nobody_went_on_with_is_sent(folder: Path, tmp_path: Path) -> None:
    lost = folder / "RM_1.jsonl"
    lost.write_text('{"kind": "call", "at": 1.0}\n')
    os.utime(lost, (1, 1))
    await RecordKeeper(folder, FolderStore(tmp_path / "store"), Limits()).look()
    assert kept(tmp_path / "store") == ["RM_1.jsonl"]


async def test_running_calls_are_in_the_store_until_they_are_over(
    folder: Path, tmp_path: Path
) -> None:
    settings = AgentSettings(record_dir=folder, record_store=str(tmp_path / "store"))
    keeper = keeper_of(settings, {})
    assert keeper
    record = folder / "RM_1.jsonl"
    running = open_claimed(record)
    os.write(running, b'{"kind": "call", "at": 1.0}\n')
    keeping = asyncio.create_task(keeper.run())
    await asyncio.sleep(2 * LIVE_SECONDS)
    live = tmp_path / "store" / "live" / "RM_1.jsonl"
    assert live.read_bytes() == record.read_bytes()
    os.write(running, b'{"kind": "end"}\n')
    os.close(running)
    os.utime(record, (1, 1))
    keeper.call_ended()
    await asyncio.sleep(EVERY_SECONDS)
    assert kept(tmp_path / "store") == ["RM_1.jsonl"]
    assert not live.exists()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
