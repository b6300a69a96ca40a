"""A fault in the record costs a line, never the call."""

import logging

import pytest

from agent.call.turn_record.harmless import harmless


@harmless
class Teller:
    """Fails whenever it is told a zero."""

    kind = "teller"

    def __init__(self) -> None:
        self.told: list[float] = []

    def tell(self, number: float, *, times: int = 1) -> None:
        """Notes what goes into one."""
        self.told.append(self._share(number) * times)

    def _share(self, number: float) -> float:
        return 1 / number


def test_a_fact_that_fails_is_logged_once_and_the_next_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    teller = Teller()
    with caplog.at_level(logging.ERROR):
        teller.tell(0)
        teller.tell(0)
        teller.tell(2)
        teller.tell(2, times=3)
    assert teller.told == [0.5, 1.5]
    assert [each.getMessage() for each in caplog.records] == ["the call's record has a fault"]
    assert vars(caplog.records[0])["fact"] == "tell"


def test_a_method_keeps_its_name_and_what_it_is_for() -> None:
    assert (Teller.tell.__name__, Teller.tell.__doc__) == ("tell", "Notes what goes into one.")
    with pytest.raises(ZeroDivisionError):
        Teller()._share(0)
