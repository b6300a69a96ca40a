"""A page on the disk: for its owner alone, whole or not at all, with its sound or beside it."""

from pathlib import Path

import pytest

from agent.records.read import RecordedCall
from agent.records.schema import Audio, Call
from agent.viewer import write
from agent.viewer.write import write_page


@pytest.fixture
def call(tmp_path: Path) -> RecordedCall:
    (tmp_path / "RM_1.ogg").write_bytes(b"OggS and more")
    return RecordedCall(tmp_path / "RM_1.jsonl", (Call(), Audio(file="RM_1.ogg", starts_ms=0)))


def test_a_page_is_for_its_owner_alone_and_holds_its_sound(
    call: RecordedCall, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    assert not write_page(call, out)
    assert out.stat().st_mode & 0o777 == 0o600
    assert 'id="kept-0"' in out.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["RM_1.ogg", "page.html"]


def test_a_long_sound_stays_beside_the_page(
    call: RecordedCall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "EMBED_BYTES", 4)
    assert write_page(call, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert 'id="kept-0"' not in text
    assert '"link":"RM_1.ogg"' in text


def test_a_page_is_written_once_more_and_never_through_a_link(tmp_path: Path) -> None:
    silent = RecordedCall(tmp_path / "RM_1.jsonl", (Call(),))
    target, out = tmp_path / "target", tmp_path / "page.html"
    target.write_text("precious")
    out.symlink_to(target)
    assert not write_page(silent, out)
    assert not write_page(silent, out)
    assert target.read_text() == "precious"
    assert not out.is_symlink()


def test_a_folder_that_is_not_there_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    silent = RecordedCall(tmp_path / "RM_1.jsonl", (Call(),))
    with pytest.raises(OSError, match="No such file"):
        write_page(silent, tmp_path / "nowhere" / "page.html")
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_page(silent, tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
