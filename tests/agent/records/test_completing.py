"""A record is completed with what another machine has written of the call, in order."""

import stat
from pathlib import Path

import pytest

from agent.records.completing import absent, complete, lines_in, since_last_end

SAID, MORE, END = (
    '{"kind": "said", "text": "a"}',
    '{"kind": "said", "text": "b"}',
    '{"kind": "end"}',
)


def text(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_a_record_gets_what_it_lacks_and_nothing_twice(tmp_path: Path) -> None:
    record = tmp_path / "records" / "RM_1.jsonl"
    complete(record, [SAID])
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    complete(record, [SAID, MORE])
    complete(record, [SAID, MORE])
    assert text(record) == [SAID, MORE]


def test_what_is_added_stands_behind_a_torn_line(tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    record.write_text('{"kind": "sai')
    complete(record, [SAID])
    assert text(record) == ['{"kind": "sai', SAID]


def test_a_call_that_is_over_is_another_one(tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    record.write_text(f"{SAID}\n{END}\n")
    complete(record, [SAID, MORE])
    assert text(record) == [SAID, END, MORE]
    assert since_last_end([SAID, END, MORE]) == [MORE]
    assert since_last_end([SAID]) == [SAID]


def test_lines_are_read_on_from_where_they_ended(tmp_path: Path) -> None:
    record = tmp_path / "RM_1.jsonl"
    assert lines_in(record) == ([], 0)
    record.write_text(f"{SAID}\n\n{MORE}")
    lines, at = lines_in(record)
    assert lines == [SAID]
    with record.open("a") as file:
        file.write("\n")
    assert lines_in(record, at) == ([MORE], record.stat().st_size)


@pytest.mark.parametrize(
    ("lines", "others", "missing"),
    [
        ("abc", "", "abc"),
        ("abc", "ab", "c"),
        ("abc", "abcd", ""),
        ("aab", "a", "ab"),
        ("abd", "bc", "ad"),
    ],
)
def test_what_the_others_lack_keeps_its_order(lines: str, others: str, missing: str) -> None:
    assert absent(lines, others) == list(missing)
