"""Of a message with odd fields everything else is read, and each fault is told once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from stt_assemblyai.lenient import read_leniently


class Item(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    name: str
    at: int = Field(default=0, ge=0, le=1000)
    share: float = 0.0


class Message(BaseModel):
    order: int
    text: str = ""
    whole: bool = False
    items: tuple[Item, ...] = ()


def read(**fields: Any) -> tuple[Message | None, list[str]]:
    return read_leniently(Message, json.loads(json.dumps(fields)))


def test_what_is_as_promised_has_no_fault() -> None:
    assert read(order=1, text="a") == (Message(order=1, text="a"), [])


@pytest.mark.parametrize(
    ("field", "value", "read_as"),
    [
        ("order", 1.6, 2),
        ("order", "1.6", 2),
        ("text", 42, "42"),
        ("text", 1.5, "1.5"),
        ("text", True, ""),
        ("text", None, ""),
        ("whole", "perhaps", False),
        ("items", {"name": "a"}, ()),
        ("items", "a", ()),
    ],
)
def test_a_value_is_converted_or_left_out(field: str, value: Any, read_as: Any) -> None:
    message, faults = read(**{"order": 1, field: value})
    assert getattr(message, field) == read_as
    assert [fault.split(":")[0] for fault in faults] == [field]


@pytest.mark.parametrize(
    "item", [None, 7, {}, {"name": None}, {"name": [1]}, {"at": 3, "share": float("nan")}]
)
def test_an_item_without_what_it_needs_is_left_out_alone(item: Any) -> None:
    message, faults = read(order=1, items=[item, {"name": "a"}, item, {"name": "b"}])
    assert message == Message(order=1, items=(Item(name="a"), Item(name="b")))
    assert all(fault.startswith("items.*") for fault in faults)


@pytest.mark.parametrize(
    ("odd", "at"),
    [(1e400, 0), (10**400, 0), ("1" * 500, 0), (float("nan"), 0), (2.4, 2), (-0.7, 0)],
)
def test_a_number_that_is_none_falls_back_to_the_default(odd: Any, at: int) -> None:
    message, faults = read(order=1, items=[{"name": "a", "at": odd}])
    assert message == Message(order=1, items=(Item(name="a", at=at),))
    assert len(faults) == 1


@pytest.mark.parametrize("fields", [{}, {"order": None}, {"order": "x"}, {"order": [1], "text": 5}])
def test_without_what_it_needs_a_message_cannot_be_read(fields: dict[str, Any]) -> None:
    message, faults = read(**fields)
    assert message is None
    assert faults[0].startswith("order: ")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.recursive(
                st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                lambda inner: (
                    st.lists(inner)
                    | st.dictionaries(st.sampled_from(["name", "at", "share"]), inner)
                ),
                max_leaves=12,
            )
            for name in ("order", "text", "whole", "items")
        },
    )
)
def test_it_reads_or_says_why_not(fields: dict[str, Any]) -> None:
    message, faults = read(**fields)
    assert message is not None or faults
