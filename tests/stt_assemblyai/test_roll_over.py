"""A session's length is told by the service's clock, and by this machine's only if it fits."""

import pytest

from stt_assemblyai.roll_over import Lifetimes

USUAL = 10_800.0


def lifetimes(seen_seconds: float | None = None) -> Lifetimes:
    seen = Lifetimes(shortest_seconds=30)
    if seen_seconds is not None:
        seen.expired(seen_seconds)
    return seen


@pytest.mark.parametrize(
    ("by_service", "by_host", "seen", "believed"),
    [
        (USUAL, USUAL, None, USUAL),
        (USUAL, -4000.0, None, USUAL),  # this machine's clock is ahead
        (60.0, 20_000.0, None, 60.0),  # and behind; a token's session is short
        (60.0, 60.0, USUAL, 60.0),
        (30.0, USUAL, None, None),  # too near to be true
        (-5.0, USUAL, None, None),
        (-5.0, USUAL, 70.0, 70.0),
        (None, USUAL, None, USUAL),
        (None, USUAL - 59, None, USUAL - 59),
        (None, USUAL + 59, None, USUAL + 59),
        (None, USUAL - 61, None, None),
        (None, USUAL + 61, None, None),
        (None, 60.0, None, None),  # a token, or a clock that is wrong: nobody knows
        (None, 60.0, 59.5, 59.5),  # until the service has ended one
        (None, USUAL, 59.5, 59.5),
        (None, USUAL, USUAL + 20, USUAL),
    ],
)
def test_how_long_a_session_lives(
    by_service: float | None, by_host: float, seen: float | None, believed: float | None
) -> None:
    assert lifetimes(seen).believed(by_service, by_host) == believed


def test_a_session_that_was_over_at_once_tells_nothing_of_the_next() -> None:
    assert lifetimes(29.0).believed(None, 0.0) is None
