"""`calls` lists what was recorded, and tells a mistake in one sentence."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from agent.cli.calls import calls, records_folder
from agent.records.schema import Call, End
from config.values import ROOT
from workbench.local.calling import sample_records
from workbench.local.calling.sample_records import turn

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    odd: list[Any] = [
        Call(at=time.time(), room="lobby\x1b[2J", caller="ann"),
        turn(2, 0, "a", "b", llm=3000),
    ]
    sample_records.write(tmp_path / "RM_odd.jsonl", [*odd, End(ending="caller_left", seconds=9)])
    sample_records.write(tmp_path / "RM_fine.jsonl", sample_records.healthy())
    return tmp_path


def test_calls_are_listed_newest_first_with_what_was_odd(folder: Path, capsys: Captured) -> None:
    calls(folder=folder)
    first, odd, second = capsys.readouterr().out.splitlines()
    assert "RM_odd" in first
    assert "slowest  3.5 s" in first
    assert "\x1b" not in first
    assert odd.strip().startswith(
        "Turn 2 waited 3.54 s: the language model's first token took 3.00 s"
    )
    assert "RM_fine" in second
    assert "support-17" in second


def test_nothing_in_a_record_moves_the_cursor(tmp_path: Path, capsys: Captured) -> None:
    lines = [Call(at=1.0, caller="\x1b[2J"), End(ending="\x1b[2J")]
    sample_records.write(tmp_path / "RM_\x1b[2J.jsonl", lines)
    calls(folder=tmp_path)
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"room": "support-*"}, ["RM_fine"]),
        ({"caller": "ann"}, ["RM_odd"]),
        ({"since": "1h"}, ["RM_odd"]),
        ({"until": "2026-10-01T00:00"}, ["RM_fine"]),
        ({"slower": 2.0}, ["RM_odd"]),
        ({"odd": True}, ["RM_odd"]),
        ({"ending": "none"}, []),
        ({"sort": "slowest"}, ["RM_odd", "RM_fine"]),
    ],
)
def test_a_list_is_filtered_as_asked(
    folder: Path, capsys: Captured, given: dict[str, Any], names: list[str]
) -> None:
    calls(folder=folder, json=True, **given)
    printed = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["call"] for line in printed if line] == names
    if not names:
        calls(folder=folder, **given)
        assert capsys.readouterr().out == "No call fits.\n"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"since": "yesterday"}, "--since is a time such as"),
        ({"until": "2026-13-01"}, "--until is a time such as"),
        ({"since": "0001-01-01"}, "--since is a time such as"),
        ({"ending": "bored"}, "--ending is one of none, caller_left"),
        ({"folder": Path("/nowhere/at/all")}, "There is no folder /nowhere/at/all"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    folder: Path, capsys: Captured, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        calls(**{"folder": folder, **given})
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(sentence)
    assert len(told.splitlines()) == 1


def test_the_folder_is_where_calls_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENT_RECORD_DIR", raising=False)
    monkeypatch.chdir("/")
    assert records_folder() == ROOT / "calls"
    monkeypatch.setenv("AGENT_RECORD_DIR", "/var/records")
    assert records_folder() == Path("/var/records")
