"""Whoever writes a record has it, until they die."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.records.claims import alone, open_claimed


def is_free(path: Path) -> bool:
    with alone(path) as free:
        return free


def test_a_record_that_is_written_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "record"
    first, second = open_claimed(path), open_claimed(path)
    os.close(first)
    assert not is_free(path)  # the other one took over
    os.close(second)
    assert is_free(path)


def test_a_process_that_dies_has_it_no_more(tmp_path: Path) -> None:
    path = tmp_path / "record"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom agent.records.claims import open_claimed\n"
        "open_claimed(Path(sys.argv[1]))\nprint('claimed', flush=True)\nsys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"claimed\n"
        assert not is_free(path)
        other.kill()
        other.wait()
        assert is_free(path)


def test_what_is_gone_or_a_link_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert not is_free(tmp_path / "none")
    assert not is_free(tmp_path / "link")
    assert is_free(tmp_path)


def test_one_of_several_is_alone_with_a_folder(tmp_path: Path) -> None:
    with alone(tmp_path) as first, alone(tmp_path) as second:
        assert (first, second) == (True, False)


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record that somebody moves between its opening and its locking, once."""
    path, lock = tmp_path / "record", fcntl.flock

    def move_and_lock(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        path.rename(tmp_path / "away")
        lock(descriptor, how)

    path.touch(0o600)
    monkeypatch.setattr(fcntl, "flock", move_and_lock)
    return path


def test_a_record_that_is_moved_away_while_it_is_opened_is_made_again(moved: Path) -> None:
    descriptor = open_claimed(moved)
    os.write(descriptor, b"x")
    os.close(descriptor)
    assert moved.read_bytes() == b"x"
    assert moved.with_name("away").read_bytes() == b""


def test_who_finds_it_moved_away_is_not_alone_with_it(moved: Path) -> None:
    assert not is_free(moved)
