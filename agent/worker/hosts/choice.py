"""Which process gets the next seat, which one the next call, and which one gets no more."""

from collections.abc import Sequence
from dataclasses import dataclass

CALLS_AT_MOST = 500
"""A process that has held this many calls gets no more, whatever memory it holds."""

GROWN_MB = 200.0
GROWN_PER_CALL_MB = 30.0
"""A process that holds so much more than in the beginning gets no more calls."""


@dataclass(frozen=True, slots=True)
class HostState:
    """One process as it is now."""

    seats: int
    """With a call or without."""
    calls: int
    late_seconds: float = 0.0
    """How long its event loop has stood still by now."""
    is_open: bool = True
    """Whether it gets calls at all."""


def host_for_seat(states: Sequence[HostState], seats_each: int, hosts: int) -> int | None:
    """The process for one more seat, by its index; None if another one has to be started.

    All `hosts` processes are started before any gets a second seat.
    """
    open_ones = [index for index, each in enumerate(states) if each.is_open]
    roomy = [index for index in open_ones if states[index].seats < seats_each]
    if len(open_ones) < hosts and not any(states[index].seats == 0 for index in roomy):
        return None
    return min(roomy, key=lambda index: burden(states[index]), default=None)


def burden(state: HostState) -> tuple[bool, float, int, int]:
    """The process with the least gets the next call."""
    return (not state.is_open, state.late_seconds, state.calls, state.seats)


def is_spent(calls_held: int, grown_mb: float, seats_each: int) -> bool:
    """Whether a process shall end once it is empty, and another take its place."""
    return calls_held >= CALLS_AT_MOST or grown_mb > GROWN_MB + GROWN_PER_CALL_MB * seats_each
