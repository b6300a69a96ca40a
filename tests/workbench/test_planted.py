"""The faults that `make faults` plants: as many as a reader is to find, each with its own cause."""

import pytest

from workbench.bench.planted.faults import FAULTS, Planted


def test_there_are_ten_and_no_two_are_the_same() -> None:
    assert len({fault.cause for fault in FAULTS}) == 10


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.cause)
def test_a_fault_is_planted_by_settings_that_exist(fault: Planted) -> None:
    from config.names import SETTINGS

    assert fault.settings.keys() <= SETTINGS.keys()
    assert fault.needs in ("", "tool", "full")
