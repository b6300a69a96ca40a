"""The page of a call, as a browser on this machine gets it."""

from pathlib import Path

import pytest

from agent.records.schema import Audio, Call, Line, Said
from agent.viewer import write as on_disk
from agent.viewer.served import page_of_room

LINES = (Call(room="lobby", at=1.0), Said(role="user", text="What is seven plus five?", at=2.0))


def write(folder: Path, *more: Line) -> None:
    lines = [line.model_dump_json() for line in (*LINES, *more)]
    (folder / "RM_1.jsonl").write_text("\n".join(lines) + "\n")


def test_the_call_of_a_room_is_shown_and_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path)
    assert "What is seven plus five?" in (page_of_room(tmp_path, "lobby") or "")
    assert [path.name for path in tmp_path.iterdir()] == ["RM_1.jsonl"]


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_a_room_without_a_record_has_no_page(tmp_path: Path, folder: str) -> None:
    assert page_of_room(tmp_path / folder, "lobby") is None


def test_its_sound_is_inside_unless_it_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "RM_1.ogg").write_bytes(b"OggS and more")
    write(tmp_path, Audio(file="RM_1.ogg", starts_ms=0))
    assert 'id="kept-0"' in (page_of_room(tmp_path, "lobby") or "")
    monkeypatch.setattr(on_disk, "EMBED_BYTES", 4)
    text = page_of_room(tmp_path, "lobby") or ""
    assert 'id="kept-0"' not in text
    assert "RM_1.ogg" not in text.partition('"sounds":')[2]
