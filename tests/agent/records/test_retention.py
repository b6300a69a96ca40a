"""The oldest records go first, and never that of a call which goes on."""

import os
from pathlib import Path

import pytest

from agent.records.claims import open_claimed
from agent.records.kept_calls import KeptCall, kept_calls
from agent.records.retention import Limits, remove, superfluous

DAY = 86_400.0
NOW = 100 * DAY
CALLS = [
    KeptCall(Path(f"RM_{age}.jsonl"), (), 1_000_000, NOW - age * DAY) for age in (40, 20, 10, 1)
]


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        (Limits(), 0),
        (Limits(days=30), 1),
        (Limits(days=0.5), 4),
        (Limits(megabytes=4), 0),
        (Limits(megabytes=3), 1),
        (Limits(megabytes=1), 3),
        (Limits(days=30, megabytes=2), 2),
        (Limits(days=15, megabytes=3), 2),
    ],
)
def test_too_old_or_too_many(limits: Limits, gone: int) -> None:
    assert superfluous(CALLS, limits, NOW) == CALLS[:gone]


def made(folder: Path, *names: str) -> KeptCall:
    for name in names:
        (folder / name).write_bytes(b"x")
    (call,) = kept_calls(folder)
    return call


def test_a_call_goes_with_its_sound(tmp_path: Path) -> None:
    assert remove(made(tmp_path, "RM_1.jsonl", "RM_1.ogg"))
    assert list(tmp_path.iterdir()) == []


def test_sound_without_a_record_goes_too(tmp_path: Path) -> None:
    assert remove(made(tmp_path, "RM_1.ogg"))
    assert list(tmp_path.iterdir()) == []


def test_a_call_that_goes_on_stays(tmp_path: Path) -> None:
    call = made(tmp_path, "RM_1.jsonl", "RM_1.ogg")
    descriptor = open_claimed(tmp_path / "RM_1.jsonl")
    assert not remove(call)
    os.close(descriptor)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_removed_is_not_gone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert not remove(KeptCall(None, (tmp_path / "folder",), 0, 0.0))
