"""An oddity is a value."""

from agent.records.oddity import Oddity


def test_an_oddity_of_the_call_belongs_to_no_turn_and_needs_no_hint() -> None:
    assert Oddity("no_end", "It has no end.") == Oddity("no_end", "It has no end.", None, "")
