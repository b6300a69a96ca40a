"""Which store a setting names."""

from pathlib import Path

from agent.records.object_store import ObjectStore
from agent.records.store import FolderStore
from agent.records.stores import open_store


def test_none_a_folder_or_an_object_store(tmp_path: Path) -> None:
    assert open_store(None, {}) is None
    assert isinstance(open_store(str(tmp_path), {}), FolderStore)
    assert isinstance(open_store("s3://bucket/prefix", {}), ObjectStore)
