"""A check says what it affects, and a fault alone makes the command fail."""

import pytest

from agent.doctor.check import AFFECTS, Check, Name, State, exit_code, fault, ok, skipped, warning

NAME = Name.LIVEKIT_KEY


def test_every_check_says_what_it_affects() -> None:
    assert AFFECTS.keys() == set(Name)
    assert fault(NAME, "seen", "mend").affects == AFFECTS[NAME]


def test_each_kind_of_check_has_its_state() -> None:
    assert ok(NAME, "a") == Check(NAME, State.OK, "a", "")
    assert warning(NAME, "a", "b") == Check(NAME, State.WARNING, "a", "b")
    assert fault(NAME, "a", "b") == Check(NAME, State.FAULT, "a", "b")
    assert skipped(NAME, "a", "b") == Check(NAME, State.SKIPPED, "a", "b")


@pytest.mark.parametrize(
    ("states", "code"),
    [([], 0), ([State.OK, State.WARNING, State.SKIPPED], 0), ([State.OK, State.FAULT], 1)],
)
def test_only_a_fault_makes_the_command_fail(states: list[State], code: int) -> None:
    assert exit_code(Check(NAME, state, "") for state in states) == code
