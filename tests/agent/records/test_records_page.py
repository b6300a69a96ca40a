"""The page about records says what the models say, and its example is a record."""

from typing import get_args

import pytest
from pydantic import ValidationError

from agent.records import schema
from agent.records.records_page import EXAMPLE, PAGE, lines, page, read

WRITTEN = EXAMPLE.read_text("utf-8")


def test_the_page_is_made_from_the_models() -> None:
    assert PAGE.read_text("utf-8") == page(WRITTEN), "type `make reference`"


def test_each_line_and_each_of_its_fields_is_there() -> None:
    made = page("")
    for model in lines():
        section = made.partition(f"### `{model.model_fields['kind'].default}`")[2].partition("#")[0]
        assert section
        for name in model.model_fields.keys() - {"kind", "at"}:
            assert f"| `{name}`" in section


def test_each_reason_is_explained() -> None:
    made = page("")
    for value in (*get_args(schema.EndReason), *get_args(schema.Origin)):
        assert f"| `{value}` | " in made


def test_what_people_said_is_marked() -> None:
    assert "| `text` † |" in page("")
    assert "| `turn` |" in page("")


def test_the_example_is_a_whole_call() -> None:
    found = [*read(WRITTEN)]
    assert isinstance(found[0], schema.Call)
    assert isinstance(found[-1], schema.End)
    assert any(isinstance(each, schema.Turn) and each.origin == "caller" for each in found)
    with pytest.raises(ValidationError):
        [*read('{"kind": "mood"}')]
