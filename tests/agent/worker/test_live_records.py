"""Running calls are in the store as their files are, and what is over is not."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.records.claims import open_claimed
from agent.records.store import FolderStore, StoreError
from agent.worker.live_records import LiveRecords


class Store(FolderStore):
    """A folder that counts what is put, and that may be away."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.puts = 0
        self.is_away = False

    async def put(self, name: str, file: Path) -> None:
        if self.is_away:
            raise StoreError("connection refused")
        self.puts += 1
        await super().put(name, file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "records"
    made.mkdir()
    return made


@pytest.fixture
def running(folder: Path) -> Iterator[int]:
    descriptor = open_claimed(folder / "RM_1.jsonl")
    os.write(descriptor, b'{"kind": "said"}\n')
    yield descriptor
    os.close(descriptor)


async def test_a_record_is_put_when_it_has_changed(
    folder: Path, running: int, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    live = LiveRecords(folder, store)
    await live.look()
    await live.look()
    assert store.puts == 1
    os.ftruncate(running, 0)  # the caller has refused
    os.utime(folder / "RM_1.jsonl", (9, 9))
    await live.look()
    assert await store.get("live/RM_1.jsonl") == b""


async def test_what_was_packed_is_removed_and_what_nobody_writes_is_not_put(
    folder: Path, running: int, tmp_path: Path
) -> None:
    (folder / "RM_2.jsonl").write_text('{"kind": "said"}\n')
    store = Store(tmp_path / "store")
    live = LiveRecords(folder, store)
    await live.look()
    assert await store.get("live/RM_2.jsonl") is None
    (folder / "RM_1.jsonl").unlink()
    await live.look()
    assert await store.get("live/RM_1.jsonl") is None


@pytest.mark.usefixtures("running")
async def test_a_store_that_is_away_is_told_once_and_gets_it_later(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path / "store")
    live = LiveRecords(folder, store)
    store.is_away = True
    with caplog.at_level(logging.WARNING):
        await live.look()
        await live.look()
    assert [each.message for each in caplog.records] == ["the store takes no running calls"]
    store.is_away = False
    await live.look()
    assert await store.get("live/RM_1.jsonl") == b'{"kind": "said"}\n'
