"""The call that somebody means is found, and what is not there is said."""

import os
from pathlib import Path

import pytest

from agent.records.find import NotFoundError, call_named, calls_of
from agent.records.schema import Call, End
from workbench.local.calling import sample_records


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for at, (sid, room) in enumerate((("RM_a", "lobby"), ("RM_b", "kitchen"), ("RM_c", "lobby"))):
        lines = [Call(at=100.0 * at, room=room, room_sid=sid), End(ending="caller_left")]
        path = sample_records.write(tmp_path / f"{sid}.jsonl", lines)
        os.utime(path, (at, at))
    again = [Call(at=1.0), End(ending="caller_left"), Call(at=2.0)]
    os.utime(sample_records.write(tmp_path / "RM_d.jsonl", again), (0, 0))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("last", "RM_c"),
        ("lobby", "RM_c"),
        ("kitchen", "RM_b"),
        ("RM_a", "RM_a"),
        ("RM_a.jsonl", "RM_a"),
        ("RM_d", "RM_d#2"),
        ("RM_d#1", "RM_d#1"),
    ],
)
def test_a_call_is_found_by_room_sid_file_or_as_the_last(
    folder: Path, name: str, found: str
) -> None:
    assert call_named(name, folder).name == found
    if name.endswith(".jsonl"):
        assert call_named(str(folder / name), Path("nowhere")).name == found


@pytest.mark.parametrize(
    "name", ["attic", "RM_d#3", "a\0b", "x" * 5000, "a#" + "9" * 5000, "\udc80"]
)
def test_a_call_that_is_not_there_is_said_in_a_sentence(folder: Path, name: str) -> None:
    with pytest.raises(NotFoundError, match="no record of a room"):
        call_named(name, folder)


def test_an_empty_folder_and_a_missing_one_are_said_too(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no record that can be read"):
        call_named("last", tmp_path)
    with pytest.raises(NotFoundError, match="no folder"):
        call_named("last", tmp_path / "nowhere")


def test_a_file_that_cannot_be_read_counts_as_empty(folder: Path) -> None:
    (folder / "RM_0.jsonl").mkdir()
    (folder / "empty.jsonl").touch()
    assert [call.name for call in calls_of(folder)][:1] == ["RM_c"]
    assert len(list(calls_of(folder))) == 5
    with pytest.raises(NotFoundError):
        call_named("RM_0", folder)


def test_records_that_were_not_written_to_since_then_are_left_out(folder: Path) -> None:
    assert [call.name for call in calls_of(folder, since=1.5)] == ["RM_c"]
