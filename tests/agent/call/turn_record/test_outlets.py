"""Who gets a call's lines."""

import logging

import pytest

from agent.call.turn_record.outlets import Outlets
from agent.records.schema import HandedOver, Line


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
