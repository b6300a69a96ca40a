"""Whatever a disk has made of a record, it is read, judged, listed and shown without a fault."""

import json
import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.records.listing import Wanted, listed
from agent.records.read import calls_in
from agent.viewer.page import page
from workbench.local.calling import sample_records

WHOLE = "".join(line.model_dump_json() + "\n" for line in sample_records.eventful()).encode()
LINES = WHOLE.splitlines(keepends=True)
NUMBERS = re.compile(rb"(?<=:)\d+(?=[,}])")
HARMFUL = st.sampled_from(
    [b"0", b"-5", b"null", b"999999999999", b"1e30", b"1" * 400, b"NaN", b'"inf"', b'"x"', b"true"]
)


def survives(record: bytes) -> None:
    for with_words in (True, False):
        calls = calls_in(record, Path("RM_1.jsonl"), with_words=with_words)
        for each in listed(calls, Wanted()):
            json.dumps(each.as_json())
        for call in calls:
            page(call).encode()


@settings(max_examples=40)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_lines_in_any_order_and_number(lines: list[bytes]) -> None:
    survives(b"".join(lines))


@settings(max_examples=25)
@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)))
def test_a_record_of_which_a_part_is_missing(start: int, stop: int) -> None:
    survives(WHOLE[:start] + WHOLE[stop:])


@settings(max_examples=25)
@given(st.data())
def test_figures_that_are_none(data: st.DataObject) -> None:
    share = data.draw(st.integers(1, 20))
    survives(
        NUMBERS.sub(
            lambda found: data.draw(HARMFUL) if found.start() % share == 0 else found[0], WHOLE
        )
    )


@given(st.binary(max_size=200))
def test_garbage(record: bytes) -> None:
    survives(record)
