"""Who gets a call's lines."""

import logging

import pytest

from agent.call.turn_record.outlets import Outlets
from agent.personal_data import CARDS, Rules
from agent.records.schema import CallersPart, HandedOver, Line, Said, Turn, Word


def test_each_outlet_gets_each_line() -> None:
    first: list[Line] = []
    second: list[Line] = []
    Outlets([first.append, second.append])(HandedOver(at=1.0))
    assert first == second == [HandedOver(at=1.0)]


def test_an_outlet_that_fails_is_said_once_and_the_others_get_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept: list[Line] = []

    def broken(_: Line) -> None:
        raise OSError("the disk is full")

    outlets = Outlets([broken, kept.append])
    with caplog.at_level(logging.ERROR):
        outlets(HandedOver())
        outlets(HandedOver())
    assert len(kept) == 2
    assert len(caplog.records) == 1


def test_a_card_number_is_in_no_outlet_and_other_numbers_only_if_that_is_wanted() -> None:
    said = ["It", "is", "4242", "4242", "4242", "4242"]
    words = [Word(text=each, start_ms=4242, end_ms=4242) for each in said]
    card = Turn(index=1, origin="caller", caller_part=CallersPart(words=words))
    for rules in (CARDS, Rules(personal=True)):
        told: list[Line] = []
        outlets = Outlets([told.append], rules)
        outlets(Said(role="user", text="It is 4242 4242 4242 4242."))
        outlets(Said(role="user", text="Call +49 30 123456."))
        outlets(card)
        first, second, third = (each.model_dump() for each in told)
        assert first["text"] == "It is [card number]."
        assert ("123456" in second["text"]) is not rules.personal
        spoken = third["caller_part"]["words"]
        assert not any(character.isdigit() for each in spoken for character in each["text"])
        assert {each["start_ms"] for each in spoken} == {4242}
        assert type(told[2]) is Turn
