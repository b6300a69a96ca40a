"""Server-sent events, however they are cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.models.event_stream import Events

STREAM = (
    b": hello\n\ndata: one\n\nevent: x\ndata: two\ndata: lines\nid: 7\n\n: ping\r\n\r\n"
    b"data:three\r\n\r\nretry: 5\n\ndata: {\xc3\xa9}\n\ndata: last"
)
EVENTS = ["one", "two\nlines", "three", "{é}", "last"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_do_not_depend_on_the_pieces(cuts: list[int]) -> None:
    events, found, at = Events(), [], 0
    for cut in [*sorted(cuts), len(STREAM)]:
        found += events.push(STREAM[at:cut])
        at = cut
    assert [*found, *events.flush()] == EVENTS


@given(st.lists(st.integers(0, len(STREAM) + 3), max_size=5))
def test_a_byte_order_mark_costs_no_event(cuts: list[int]) -> None:
    whole = b"\xef\xbb\xbf" + STREAM.removeprefix(b": hello\n\n")
    events, found, at = Events(), [], 0
    for cut in [*sorted(cuts), len(whole)]:
        found += events.push(whole[at:cut])
        at = cut
    assert [*found, *events.flush()] == EVENTS


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\n \r\n"])
def test_an_object_instead_of_events_is_one_event(mark: bytes) -> None:
    events = Events()
    assert list(events.push(mark + b'{\n\n"data: x":')) == []
    assert [*events.push(b" 1\n}"), *events.flush()] == ['{\n\n"data: x": 1\n}\n']


@given(st.binary())
def test_nothing_breaks_it(data: bytes) -> None:
    events = Events()
    assert all(isinstance(each, str) for each in [*events.push(data), *events.flush()])


def test_an_event_is_known_by_the_empty_line_behind_it_or_by_the_end() -> None:
    events = Events()
    assert list(events.push(b": hello\r\n\r\ndata: a\r\ndata:b\n")) == []
    assert list(events.push(b"\nevent: x\ndata: c\n")) == ["a\nb"]
    assert list(events.flush()) == ["c"]
