"""Files that nobody else may read, and nothing else in their place."""

import os
from pathlib import Path

import pytest

from agent.records.private_files import open_private


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    os.close(open_private(tmp_path / "new", os.O_WRONLY | os.O_CREAT))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "open"
    path.touch(0o644)
    os.close(open_private(path, os.O_RDONLY))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_or_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o600)
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "other name").hardlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "file", "pipe"):
        with pytest.raises(OSError, match=r"symbolic|in its place"):
            open_private(tmp_path / name, os.O_RDONLY)
