"""A folder as a store."""

from pathlib import Path

import pytest

from agent.records.store import FolderStore, StoreError


async def test_a_file_is_put_whole_and_got_back(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"first")
    store = FolderStore(tmp_path / "store")
    await store.put("2026-11-28/RM_1/RM_1.jsonl", source)
    assert await store.get("2026-11-28/RM_1/RM_1.jsonl") == b"first"
    source.write_bytes(b"second")
    await store.put("2026-11-28/RM_1/RM_1.jsonl", source)
    assert await store.get("2026-11-28/RM_1/RM_1.jsonl") == b"second"
    assert await store.get("2026-11-28/RM_2") is None
    await store.remove("2026-11-28/RM_1/RM_1.jsonl")
    await store.remove("2026-11-28/RM_1/RM_1.jsonl")
    assert await store.get("2026-11-28/RM_1/RM_1.jsonl") is None


async def test_a_file_that_is_gone_leaves_nothing_behind(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    with pytest.raises(StoreError, match="No such file"):
        await store.put("a/b", tmp_path / "none")
    assert names(tmp_path) == ["a", "store"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


async def test_a_store_that_is_no_folder_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FolderStore(tmp_path / "file")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        await store.put("a/b", tmp_path / "file")
    with pytest.raises(StoreError, match="Not a directory"):
        await store.get("a/b")
    with pytest.raises(StoreError, match="Not a directory"):
        await store.remove("a/b")
