"""What lies in a folder of records, call by call."""

import json
import os
from pathlib import Path

import pytest

from agent.records.kept_calls import has_ended, kept_calls, name_in_store

BEGAN = 1_795_000_000.0


def write(path: Path, *kinds: str, changed_at: float = BEGAN) -> Path:
    path.write_text("".join(json.dumps({"kind": each, "at": BEGAN}) + "\n" for each in kinds))
    os.utime(path, (changed_at, changed_at))
    return path


def test_the_files_of_a_call_belong_together_and_the_oldest_call_is_first(tmp_path: Path) -> None:
    new = write(tmp_path / "RM_1.jsonl", "call", changed_at=BEGAN + 5)
    sounds = [write(tmp_path / name) for name in ("RM_1.ogg", "RM_1.2.ogg")]
    old = write(tmp_path / "RM_2.jsonl", "call")
    (tmp_path / "outgoing").mkdir()
    (tmp_path / ".hidden").touch()
    (tmp_path / "RM_3.jsonl").symlink_to(old)
    first, second = kept_calls(tmp_path)
    assert (first.record, first.others, first.changed_at) == (old, (), BEGAN)
    assert (second.record, set(second.others), second.changed_at) == (new, set(sounds), BEGAN + 5)
    assert second.files[-1] == new
    assert second.bytes == new.stat().st_size


def test_sound_without_a_record_is_a_call_too(tmp_path: Path) -> None:
    sound = write(tmp_path / "RM_1.ogg")
    (call,) = kept_calls(tmp_path)
    assert (call.record, call.files) == (None, (sound,))


def test_what_somebody_has_just_removed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter([folder / "RM_1.jsonl"]))
    assert kept_calls(tmp_path) == []


def test_a_missing_folder_has_no_calls(tmp_path: Path) -> None:
    assert kept_calls(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ('{"kind": "call"}\n{"kind": "end"}\n', True),
        ('{"kind": "call"}\n{"kind": "end"}\n{"kind": "call"}\n', False),
        ('{"kind": "end"}\n{"kind": "ca', False),
        ('["end"]\n', False),
        ("", False),
        ('{"kind": "said", "text": "' + "x" * 200_000 + '"}\n{"kind": "end"}\n', True),
    ],
)
def test_a_call_is_over_when_its_last_line_says_so(text: str, ended: bool, tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    record.write_text(text)
    assert has_ended(record) is ended


def test_a_record_that_is_gone_has_no_end(tmp_path: Path) -> None:
    assert not has_ended(tmp_path / "none")


def test_the_name_in_the_store_says_when_the_call_began(tmp_path: Path) -> None:
    record = write(tmp_path / "RM_1.jsonl", "call", "end")
    assert name_in_store(record) == "2026-11-18/110640-RM_1"


def test_a_record_that_cannot_be_read_is_named_by_its_last_change(tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    record.write_text("torn")
    os.utime(record, (BEGAN + 60, BEGAN + 60))
    assert name_in_store(record) == "2026-11-18/110740-RM_1"


def test_a_record_that_is_gone_has_a_name_too(tmp_path: Path) -> None:
    assert name_in_store(tmp_path / "RM_1.jsonl") == "1970-01-01/000000-RM_1"


@pytest.mark.parametrize("at", ["1e300", "NaN", "Infinity", "-1e15", "1e12", "1" * 400])
def test_a_time_that_cannot_be_is_none(at: str, tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    record.write_text(f'{{"kind": "call", "at": {at}}}\n')
    os.utime(record, (BEGAN, BEGAN))
    assert name_in_store(record) == "2026-11-18/110640-RM_1"


def test_files_of_others_in_the_folder_are_no_calls(tmp_path: Path) -> None:
    for name in ("notes.txt", "figures.jsonl", ".RM_1.html.17"):
        (tmp_path / name).touch()
    assert kept_calls(tmp_path) == []
