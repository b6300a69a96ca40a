"""Server-sent events, however they are cut into pieces."""

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


@given(st.binary())
def test_nothing_breaks_it(data: bytes) -> None:
    events = Events()
    assert all(isinstance(each, str) for each in [*events.push(data), *events.flush()])
