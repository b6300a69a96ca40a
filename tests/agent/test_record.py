"""The record of a call: what was added is there, whatever happens to the process or the disk."""

import json
import logging
import multiprocessing
import os
import signal
import stat
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from agent.call.record import FileRecord, Said, open_record, unfinished

TURN = {"role": "user", "text": "My name is Sam."}


def test_a_call_that_ended_is_not_taken_up_again(tmp_path: Path) -> None:
    record, before = open_record(tmp_path, "RM_1")
    record.add("turn", TURN)
    record.add("end", {"ending": "caller_left"})
    record.close()
    assert before == []
    assert open_record(tmp_path, "RM_1")[1] == []


def test_a_call_without_an_end_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    open_record(tmp_path, "RM_1")[0].add("turn", TURN)
    record, before = open_record(tmp_path, "RM_1")
    assert before == [Said("user", "My name is Sam.")]
    record.add("turn", {"role": "assistant", "text": "Hello Sam."})
    assert unfinished(tmp_path / "RM_1.jsonl")[1:] == [Said("assistant", "Hello Sam.")]


def test_a_torn_line_and_a_strange_one_count_as_never_said(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    whole = json.dumps({"kind": "turn", **TURN})
    path.write_text(f'[1]\n{{"kind": "turn"}}\nnull\n{whole}\n{whole[:20]}')
    assert unfinished(path) == [Said("user", "My name is Sam.")]


def test_a_rooms_name_leads_nowhere_else(tmp_path: Path) -> None:
    record, _ = open_record(tmp_path / "records", "../../outside")
    record.add("turn", TURN)
    (path,) = tmp_path.rglob("*.jsonl")
    assert path.parent == tmp_path / "records"


def test_only_its_owner_may_read_a_record(tmp_path: Path) -> None:
    open_record(tmp_path / "records", "RM_1")
    (path,) = tmp_path.rglob("*.jsonl")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("path", [Path("/dev/full"), Path("/proc/nowhere/record.jsonl")])
def test_a_disk_that_takes_nothing_is_said_once_and_the_call_goes_on(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        record = FileRecord(path)
        record.add("turn", TURN)
        record.add("turn", TURN)
        record.close()
    assert [line.getMessage() for line in caplog.records] == ["the call is no longer recorded"]


def test_a_turn_is_taken_over_as_it_was_formatted_later(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    record = FileRecord(path)
    record.add("turn", {"role": "user", "text": "it was twenty dollars"})
    record.add("turn", {"role": "assistant", "text": "Certainly."})
    record.add("formatted", {"replaces": "twenty dollars", "text": "$20."})
    record.close()
    assert [said.text for said in unfinished(path)] == ["it was $20.", "Certainly."]


def test_without_a_folder_nothing_is_recorded() -> None:
    record, before = open_record(None, "RM_1")
    record.add("turn", TURN)
    record.close()
    assert before == []


def _talk(path: Path, told: Connection) -> None:
    record = FileRecord(path)
    for number in range(10_000):
        record.add("turn", {"role": "user", "text": str(number)})
        told.send(number)


def test_every_turn_that_was_added_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    ours, theirs = multiprocessing.Pipe(duplex=False)
    talker = multiprocessing.get_context("spawn").Process(target=_talk, args=(path, theirs))
    talker.start()
    theirs.close()
    added = [ours.recv() for _ in range(50)]
    assert talker.pid
    os.kill(talker.pid, signal.SIGKILL)
    talker.join()
    while ours.poll():
        try:
            added.append(ours.recv())
        except EOFError:
            break
    talker.close()
    ours.close()
    assert [int(said.text) for said in unfinished(path)][: len(added)] == added
