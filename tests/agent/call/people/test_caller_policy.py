"""Whom the agent serves, and when the call is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.endings import Ending
from agent.call.people.caller_policy import (
    MICROPHONE_SECONDS,
    RETURN_SECONDS,
    CallerPolicy,
    Candidate,
)

PATIENCE, GRACE = 30.0, 15.0
SILENT_ANN, SILENT_BOB = Candidate("ann"), Candidate("bob")
ANN, BOB = Candidate("ann", is_active=True), Candidate("bob", is_active=True)
PHONE = Candidate("phone", is_active=True, is_phone=True)


def policy() -> CallerPolicy:
    return CallerPolicy(patience_seconds=PATIENCE, grace_seconds=GRACE, now=0.0)


def serving(*present: Candidate) -> CallerPolicy:
    """A policy that has chosen Ann, who is there by herself or with these, from second 0 on."""
    chosen = policy()
    chosen.observe([ANN], 0.0)
    chosen.observe(present or [ANN], 0.0)
    return chosen


@pytest.mark.parametrize(
    ("present", "caller"),
    [
        ([SILENT_ANN], "ann"),
        ([ANN, BOB], "ann"),
        ([SILENT_ANN, BOB], "bob"),
        ([ANN, PHONE], "phone"),
        ([SILENT_ANN, SILENT_BOB], None),
    ],
)
def test_the_telephone_is_served_first_then_who_has_a_microphone_then_who_came_first(
    present: list[Candidate], caller: str | None
) -> None:
    chosen = policy()
    chosen.observe(present, 0.0)
    assert chosen.caller == caller


def test_of_several_silent_people_one_may_publish_a_microphone_before_the_first_is_served() -> None:
    chosen = policy()
    assert chosen.observe([SILENT_ANN, SILENT_BOB], 5.0) == 5.0 + MICROPHONE_SECONDS
    chosen.observe([SILENT_ANN, BOB], 5.5)
    assert chosen.caller == "bob"


def test_where_nobody_publishes_a_microphone_who_came_first_is_served() -> None:
    chosen = policy()
    chosen.observe([SILENT_ANN, SILENT_BOB], 5.0)
    chosen.observe([SILENT_ANN, SILENT_BOB], 5.0 + MICROPHONE_SECONDS)
    assert chosen.caller == "ann"


def test_a_room_into_which_nobody_comes_is_left_when_the_patience_is_over() -> None:
    empty = policy()
    assert empty.observe([], 1.0) == PATIENCE
    empty.observe([], PATIENCE)
    assert empty.ending is Ending.NO_CALLER


def test_a_caller_who_hangs_up_ends_the_call_at_once() -> None:
    call = serving()
    call.hung_up("ann")
    call.observe([BOB], 1.0)
    assert call.ending is Ending.CALLER_LEFT


def test_somebody_else_who_hangs_up_ends_nothing() -> None:
    call = serving(ANN, BOB)
    call.hung_up("bob")
    call.observe([ANN], 1.0)
    assert call.ending is None


def test_a_caller_whose_network_fails_is_waited_for_and_goes_on() -> None:
    call = serving()
    assert call.observe([], 1.0) == 1.0 + GRACE
    assert call.is_absent
    call.observe([ANN], GRACE)
    assert (call.ending, call.is_absent, call.absences) == (None, False, 1)


def test_a_caller_whose_network_fails_for_too_long_is_lost() -> None:
    call = serving()
    call.observe([], 1.0)
    call.observe([], 1.0 + GRACE)
    assert call.ending is Ending.CALLER_LOST


def test_who_has_a_microphone_is_served_while_the_caller_is_away() -> None:
    call = serving()
    call.observe([], 1.0)
    assert call.observe([BOB], 1.5) == 1.0 + RETURN_SECONDS
    call.observe([BOB], 1.0 + RETURN_SECONDS)
    assert call.ending is Ending.CALLER_LOST


def test_a_client_that_reconnects_beside_another_microphone_keeps_its_agent() -> None:
    call = serving(ANN, BOB)
    call.observe([BOB], 1.0)
    call.observe([BOB, ANN], 1.1)
    call.observe([BOB, ANN], 60.0)
    assert call.ending is None


def test_who_only_listens_makes_way_for_who_has_a_microphone() -> None:
    call = policy()
    call.observe([SILENT_ANN], 0.0)
    call.observe([SILENT_ANN, BOB], 9.0)
    assert call.ending is Ending.ANOTHER_CALLER


def test_a_caller_who_has_spoken_makes_way_for_nobody() -> None:
    call = serving()
    call.observe([ANN, BOB, PHONE], 9.0)
    assert (call.caller, call.ending) == ("ann", None)


def everybody(*present: Candidate) -> CallerPolicy:
    """A policy of an agent that hears everybody, which has chosen Ann."""
    chosen = CallerPolicy(patience_seconds=PATIENCE, grace_seconds=GRACE, now=0.0, goes_on=True)
    chosen.observe([ANN], 0.0)
    chosen.observe(present, 0.0)
    return chosen


def test_where_everybody_is_heard_the_call_goes_on_with_those_who_are_left() -> None:
    call = everybody(ANN, BOB, PHONE)
    call.hung_up("ann")
    call.observe([BOB, PHONE], 1.0)
    assert (call.caller, call.ending) == ("phone", None)
    call.hung_up("phone")
    call.observe([BOB], 2.0)
    assert (call.caller, call.ending) == ("bob", None)
    call.hung_up("bob")
    call.observe([SILENT_ANN], 3.0)
    assert call.ending is Ending.CALLER_LEFT


def test_where_everybody_is_heard_nobody_waits_for_a_caller_whose_network_fails() -> None:
    call = everybody(ANN, BOB)
    assert call.observe([BOB], 1.0) is None
    assert (call.caller, call.absences) == ("bob", 0)


def test_where_everybody_is_heard_a_caller_who_is_alone_is_waited_for_until_somebody_comes() -> (
    None
):
    call = everybody(ANN)
    assert call.observe([], 1.0) == 1.0 + GRACE
    call.observe([BOB], 2.0)
    assert (call.caller, call.ending, call.is_absent) == ("bob", None, False)


def test_where_everybody_is_heard_who_only_listens_makes_way_for_nobody() -> None:
    call = everybody(SILENT_ANN, BOB)
    assert (call.caller, call.ending) == ("ann", None)


STEPS = st.lists(
    st.tuples(
        st.floats(0, 20),
        st.lists(st.sampled_from([SILENT_ANN, SILENT_BOB, ANN, BOB, PHONE]), max_size=3),
        st.sampled_from(["", "ann", "bob", "phone"]),
    ),
    max_size=12,
)


@given(STEPS)
def test_whatever_happens_a_caller_is_there_when_chosen_and_never_exchanged(
    steps: list[tuple[float, list[Candidate], str]],
) -> None:
    call, now = policy(), 0.0
    for seconds, present, hung_up in steps:
        now += seconds
        before = call.caller
        if hung_up:
            call.hung_up(hung_up)
        next_look = call.observe(present, now)
        assert before is None or call.caller == before
        assert call.caller is None or before or call.caller in [each.identity for each in present]
        if call.ending is None and call.caller not in [each.identity for each in present]:
            # Nobody is served: the wait has an end.
            assert next_look is not None
            assert now < next_look <= now + max(PATIENCE, GRACE)


def test_a_caller_whose_client_answers_no_more_is_absent_though_the_room_shows_one() -> None:
    call = serving()
    call.answers(is_reachable=False)
    assert call.observe([ANN], 1.0) == 1.0 + GRACE
    assert call.is_absent
    call.answers(is_reachable=True)
    call.observe([ANN], 2.0)
    assert not call.is_absent


def test_a_call_that_is_over_stays_over() -> None:
    call = serving()
    call.hung_up("ann")
    call.observe([], 1.0)
    assert call.observe([ANN], 2.0) is None
    assert call.ending is Ending.CALLER_LEFT
