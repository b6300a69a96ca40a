"""The record of a call: what was added is there, whatever happens to the process or the disk."""

import contextlib
import logging
import multiprocessing
import os
import random
import resource
import signal
import stat
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from agent.call.history.record import (
    FileRecord,
    RecordsError,
    Said,
    open_record,
    prepare_folder,
    unfinished,
)
from agent.records import schema

TURN = schema.Said(role="user", text="My name is Sam.")


def test_a_call_that_ended_is_not_taken_up_again(tmp_path: Path) -> None:
    record, before = open_record(tmp_path, "RM_1")
    record.write(TURN)
    record.write(schema.End(ending="caller_left"))
    record.close()
    assert before == []
    assert open_record(tmp_path, "RM_1")[1] == []


def test_a_call_without_an_end_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    open_record(tmp_path, "RM_1")[0].write(TURN)
    record, before = open_record(tmp_path, "RM_1")
    assert before == [Said("user", "My name is Sam.")]
    record.write(schema.Said(role="assistant", text="Hello Sam."))
    assert unfinished(tmp_path / "RM_1.jsonl")[1:] == [Said("assistant", "Hello Sam.")]


def test_a_torn_line_and_a_strange_one_count_as_never_said(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    whole = TURN.model_dump_json(exclude_none=True)
    deep = "[" * 100_000
    path.write_text(f'[1]\n{{"kind": "said"}}\nnull\n{deep}\n{whole}\n{whole[:20]}')
    assert unfinished(path) == [Said("user", "My name is Sam.")]


def test_a_rooms_name_leads_nowhere_else(tmp_path: Path) -> None:
    record, _ = open_record(tmp_path / "records", "../../outside")
    record.write(TURN)
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
        record.write(TURN)
        record.write(TURN)
        record.close()
    assert [line.getMessage() for line in caplog.records] == ["the call is no longer recorded"]


def test_a_folder_that_others_may_use_is_closed_to_them(tmp_path: Path) -> None:
    for mode in (0o777, 0o755, 0o770):
        tmp_path.chmod(mode)
        prepare_folder(tmp_path)
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_folder_is_made_with_those_above_it_when_the_worker_starts(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert not list((tmp_path / "a" / "b").iterdir())


@pytest.mark.parametrize(
    "path", [Path("/proc/nowhere"), Path("/dev/null/x"), Path("/" + "x" * 300)]
)
def test_a_folder_that_cannot_be_made_is_one_sentence(path: Path) -> None:
    with pytest.raises(RecordsError, match=r"^nothing can be written to /\S+ \([\w ]+\)$"):
        prepare_folder(path)


def test_somebody_elses_open_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(RecordsError, match="others may use /tmp"):
        prepare_folder(Path("/tmp"))


def other_things(tmp_path: Path) -> dict[str, Path]:
    victim = tmp_path / "victim"
    victim.write_text('{"kind": "said", "role": "user", "text": "secret"}\n')
    things = {name: tmp_path / f"{name}.jsonl" for name in ("link", "dangling", "twin", "pipe")}
    things["link"].symlink_to(victim)
    things["dangling"].symlink_to(tmp_path / "new")
    things["twin"].hardlink_to(victim)
    os.mkfifo(things["pipe"])
    return things


@pytest.mark.parametrize("name", ["link", "dangling", "twin", "pipe"])
def test_something_else_in_a_records_place_is_neither_written_nor_read(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    thing = other_things(tmp_path)[name]
    before = (tmp_path / "victim").read_text()
    record, said = open_record(tmp_path, name)
    record.write(TURN)
    record.close()
    assert said == []
    assert thing.is_symlink() or thing.exists()
    assert (tmp_path / "victim").read_text() == before
    assert not (tmp_path / "new").exists()
    assert [line.getMessage() for line in caplog.records] == ["the call is no longer recorded"]


def test_a_record_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    path.touch(0o644)
    open_record(tmp_path, "RM_1")[0].close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_turn_is_taken_over_as_it_was_formatted_later(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    record = FileRecord(path)
    record.write(schema.Said(role="user", text="it was twenty dollars"))
    record.write(schema.Said(role="assistant", text="Certainly."))
    record.write(schema.Formatted(replaces="twenty dollars", text="$20."))
    record.close()
    assert [said.text for said in unfinished(path)] == ["it was $20.", "Certainly."]


def test_a_mark_is_taken_over_and_keeps_its_text(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    record = FileRecord(path)
    record.write(schema.Said(role="user", text="it was twenty dollars"))
    record.write(schema.Said(role="user", text="uh-huh", mark="backchannel"))
    record.write(schema.Formatted(replaces="twenty dollars", text="$20."))
    record.close()
    assert unfinished(path) == [Said("user", "it was $20."), Said("user", "uh-huh", "backchannel")]


def test_a_late_formatted_text_changes_the_turn_that_has_it_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "RM_1.jsonl"
    record = FileRecord(path)
    record.write(schema.Said(role="user", text="what time is it"))
    record.write(schema.Said(role="user", text="hold on", mark="hold"))
    record.write(schema.Formatted(replaces="hold on", text="Hold on."))
    record.write(schema.Formatted(replaces="never said", text="Never said."))
    record.close()
    assert unfinished(path) == [Said("user", "what time is it"), Said("user", "Hold on.", "hold")]


def test_without_a_folder_nothing_is_recorded() -> None:
    record, before = open_record(None, "RM_1")
    record.write(TURN)
    record.close()
    assert before == []


def test_a_line_that_was_torn_does_not_take_the_next_one_along(tmp_path: Path) -> None:
    whole = TURN.model_dump_json(exclude_none=True)
    (tmp_path / "RM_1.jsonl").write_text(f"{whole}\n{whole[:20]}")
    record, before = open_record(tmp_path, "RM_1")
    record.write(schema.Said(role="user", text="Are you there?"))
    assert before == [Said("user", "My name is Sam.")]
    assert unfinished(tmp_path / "RM_1.jsonl") == [*before, Said("user", "Are you there?")]


@pytest.mark.parametrize("text", ["\ud800", "\x00\n\u2028", "x" * 1_000_000], ids=ascii)
def test_whatever_was_said_can_be_written_and_read(tmp_path: Path, text: str) -> None:
    record, _ = open_record(tmp_path, "RM_1")
    record.write(schema.Said(role="user", text=text))
    record.write(TURN)
    said = unfinished(tmp_path / "RM_1.jsonl")
    assert said == [Said("user", text), Said("user", "My name is Sam.")]


def _talk(path: Path, told: Connection, turns: int, most_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    record = FileRecord(path)
    for number in range(turns):
        record.write(schema.Said(role="user", text=str(number)))
        told.send(number)


def added_by_another_process(
    path: Path,
    *,
    turns: int = 10_000,
    most_bytes: int = resource.RLIM_INFINITY,
    kill_after: int | None = None,
) -> list[int]:
    """The turns that it said were added, until it ended or was killed."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    arguments = (path, theirs, turns, most_bytes)
    talker = multiprocessing.get_context("spawn").Process(target=_talk, args=arguments)
    talker.start()
    theirs.close()
    added: list[int] = []
    with contextlib.suppress(EOFError):
        while True:
            if len(added) == kill_after:
                assert talker.pid
                os.kill(talker.pid, signal.SIGKILL)
            added.append(ours.recv())
    talker.join()
    talker.close()
    ours.close()
    return added


@pytest.mark.parametrize("instant", random.Random("kill").sample(range(500), 5))
def test_every_turn_that_was_added_survives_a_kill_at_any_instant(
    tmp_path: Path, instant: int
) -> None:
    path = tmp_path / "RM_1.jsonl"
    added = added_by_another_process(path, kill_after=instant)
    record, before = open_record(tmp_path, "RM_1")
    assert len(added) >= instant
    assert [int(said.text) for said in before][: len(added)] == added
    record.write(TURN)
    assert unfinished(path) == [*before, Said("user", "My name is Sam.")]


def test_a_disk_that_is_full_in_mid_call_keeps_what_it_has_and_the_call_goes_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "RM_1.jsonl"
    assert added_by_another_process(path, turns=100, most_bytes=1000) == list(range(100))
    kept = [int(said.text) for said in unfinished(path)]
    assert 5 < len(kept) < 100
    assert kept == list(range(len(kept)))


def test_an_agent_that_takes_over_from_several_speakers_knows_who_said_what(
    tmp_path: Path,
) -> None:
    record, _ = open_record(tmp_path, "RM_1")
    for speaker, text in (("Ann", "at $25"), ("Bob", "no")):
        record.write(schema.Said(role="user", text=text, speaker=speaker.lower(), name=speaker))
    record.write(schema.Formatted(replaces="at $25", text="At $25."))
    record.close()
    said = [Said("user", "Ann: At $25."), Said("user", "Bob: no")]
    assert unfinished(tmp_path / "RM_1.jsonl") == said
