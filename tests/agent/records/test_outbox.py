"""Calls that are over go out, whole, and stay until the store has them."""

import json
import os
import time
from pathlib import Path

from agent.records.claims import open_claimed
from agent.records.outbox import LOST_SECONDS, OUTGOING, SETTLED_SECONDS, pack, parcels, sent

BEGAN = 1_795_000_000.0
NAME = "2026-11-18/110640-RM_1"


def record(folder: Path, *kinds: str, name: str = "RM_1") -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps({"kind": each, "at": BEGAN}) + "\n" for each in kinds))
    os.utime(path, (BEGAN, BEGAN))
    return path


def test_a_call_that_is_over_goes_out_with_its_sound(tmp_path: Path) -> None:
    record(tmp_path, "call", "end")
    (tmp_path / "RM_1.ogg").touch()
    os.utime(tmp_path / "RM_1.ogg", (BEGAN, BEGAN))
    pack(tmp_path, BEGAN + SETTLED_SECONDS - 1)
    assert parcels(tmp_path) == []
    pack(tmp_path, BEGAN + SETTLED_SECONDS)
    (parcel,) = parcels(tmp_path)
    assert parcel.name == NAME
    assert [path.name for path in parcel.call.files] == ["RM_1.ogg", "RM_1.jsonl"]
    assert [path.name for path in tmp_path.iterdir()] == [OUTGOING]
    sent(tmp_path, parcel)
    assert parcels(tmp_path) == []
    assert list((tmp_path / OUTGOING).iterdir()) == []


def test_the_others_of_a_day_stay_when_one_is_sent(tmp_path: Path) -> None:
    for name in ("RM_1", "RM_2"):
        record(tmp_path, "call", "end", name=name)
    pack(tmp_path, BEGAN + SETTLED_SECONDS)
    first, second = parcels(tmp_path)
    sent(tmp_path, first)
    assert parcels(tmp_path) == [second]


def test_a_call_that_goes_on_stays_though_it_has_ended_once(tmp_path: Path) -> None:
    descriptor = open_claimed(record(tmp_path, "call", "end"))
    pack(tmp_path, BEGAN + SETTLED_SECONDS)
    assert parcels(tmp_path) == []
    os.close(descriptor)


def test_a_call_whose_agent_died_waits_for_another_and_then_goes_out(tmp_path: Path) -> None:
    record(tmp_path, "call", "said")
    pack(tmp_path, BEGAN + LOST_SECONDS - 1)
    assert parcels(tmp_path) == []
    os.utime(tmp_path / "RM_1.jsonl", (BEGAN, BEGAN))
    pack(tmp_path, BEGAN + LOST_SECONDS + 1)
    assert [parcel.name for parcel in parcels(tmp_path)] == [NAME]


def test_what_was_moved_in_part_is_moved_whole_the_next_time(tmp_path: Path) -> None:
    record(tmp_path, "call", "end")
    place = tmp_path / OUTGOING / NAME
    place.mkdir(parents=True)
    (place / "RM_1.ogg").touch()
    assert parcels(tmp_path) == []
    pack(tmp_path, BEGAN + SETTLED_SECONDS)
    (parcel,) = parcels(tmp_path)
    assert len(parcel.call.files) == 2


def test_another_call_in_the_same_room_is_another_parcel(tmp_path: Path) -> None:
    record(tmp_path, "call", "end")
    pack(tmp_path, BEGAN + SETTLED_SECONDS)
    later = json.dumps({"kind": "call", "at": BEGAN + 60}) + '\n{"kind": "end"}\n'
    (tmp_path / "RM_1.jsonl").write_text(later)
    pack(tmp_path, time.time() + 1, settled_seconds=0)
    assert [parcel.name[-11:] for parcel in parcels(tmp_path)] == ["110640-RM_1", "110740-RM_1"]
