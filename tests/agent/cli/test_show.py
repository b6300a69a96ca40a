"""`show` writes the page of a call, and tells a mistake in one sentence."""

import webbrowser
from pathlib import Path

import pytest

from agent.cli.show import show
from agent.records.schema import Audio, Call
from agent.viewer import write
from workbench.local.calling import sample_records

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sample_records.write(tmp_path / "RM_1.jsonl", sample_records.healthy())
    return tmp_path


def test_the_page_is_beside_the_record_and_its_name_is_told(folder: Path, capsys: Captured) -> None:
    show("last", folder=folder)
    assert capsys.readouterr().out == f"{folder / 'RM_1.html'}\n"
    assert "support-17" in (folder / "RM_1.html").read_text()


def test_it_opens_where_it_was_put(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    show("support-17", folder=folder, out=folder / "a page.html", open_it=True)
    assert opened == [(folder / "a page.html").as_uri()]


def test_a_sound_that_stays_beside_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(write, "EMBED_BYTES", 0)
    (folder / "RM_2.ogg").write_bytes(b"OggS")
    sample_records.write(folder / "RM_2.jsonl", [Call(), Audio(file="RM_2.ogg", starts_ms=0)])
    show("RM_2", folder=folder)
    assert "move both together" in capsys.readouterr().out


def test_a_second_call_in_a_room_gets_a_page_of_its_own(folder: Path, capsys: Captured) -> None:
    twice = [*sample_records.healthy(), *sample_records.healthy()]
    sample_records.write(folder / "RM_3.jsonl", twice)
    show("RM_3#1", folder=folder)
    assert (folder / "RM_3-1.html").exists()


@pytest.mark.parametrize(
    ("call", "out", "sentence"),
    [
        ("attic", "page.html", "There is no record of a room attic"),
        ("last", "nowhere/page.html", "cannot be written (No such file or directory)."),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    folder: Path, capsys: Captured, call: str, out: str, sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        show(call, folder=folder, out=folder / out)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.splitlines()) == 1
