"""Which process gets the next seat and the next call, and when one has had enough."""

import pytest

from agent.worker.hosts.choice import (
    CALLS_AT_MOST,
    GROWN_MB,
    HostState,
    burden,
    host_for_seat,
    is_spent,
)


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        ([], None),
        ([HostState(0, 0)], 0),  # it is about to get its first seat
        ([HostState(1, 0)], None),  # the second process is not there yet
        ([HostState(1, 0), HostState(0, 0)], 1),
        ([HostState(2, 0), HostState(1, 0)], 1),
        ([HostState(2, 1), HostState(2, 0)], 1),
        ([HostState(2, 0, 1.5), HostState(2, 2)], 1),  # the first one stands still
        ([HostState(3, 0), HostState(3, 0)], None),  # both are full
        ([HostState(1, 0), HostState(0, 0, is_open=False)], None),
        ([HostState(1, 0), HostState(2, 0), HostState(0, 0, is_open=False)], 0),
    ],
)
def test_a_seat_goes_to_the_process_with_the_least_and_all_are_started_first(
    states: list[HostState], chosen: int | None
) -> None:
    assert host_for_seat(states, seats_each=3, hosts=2) == chosen


def test_a_call_goes_where_the_fewest_are_and_no_loop_stands_still() -> None:
    best_first = [
        HostState(4, 0),
        HostState(4, 1),
        HostState(2, 2),
        HostState(4, 2),
        HostState(4, 0, late_seconds=0.7),
        HostState(1, 0, is_open=False),
    ]
    assert sorted((*best_first[3:], *best_first[:3]), key=burden) == best_first


@pytest.mark.parametrize(
    ("calls", "grown_mb", "spent"),
    [
        (0, 0.0, False),
        (CALLS_AT_MOST, 0.0, True),
        (1, GROWN_MB + 59, False),
        (1, GROWN_MB + 61, True),
    ],
)
def test_a_process_that_has_held_many_calls_or_has_grown_is_spent(
    calls: int, grown_mb: float, spent: bool
) -> None:
    assert is_spent(calls, grown_mb, seats_each=2) is spent
