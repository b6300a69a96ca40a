"""A side's sound lies where it was heard: with its pauses, added up, and cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.recording.timeline import LATEST_SECONDS, Heard, Played, Side

RATE = 1000
ONE, OTHER = 1, 2


def sound(seconds: float, level: int = 100) -> np.ndarray:
    return np.full(round(seconds * RATE), level, np.int16)


def stretches(samples: np.ndarray) -> list[tuple[float, int]]:
    """Seconds and level of each stretch."""
    edges = np.flatnonzero(np.diff(samples)) + 1
    return [(part.size / RATE, int(part[0])) for part in np.split(samples, edges) if part.size]


def test_pauses_stay() -> None:
    side = Side(RATE)
    side.add(ONE, 0.5, sound(1))
    side.add(ONE, 3, sound(0.5, 200))
    assert stretches(side.take(4)) == [(0.5, 0), (1, 100), (1.5, 0), (0.5, 200), (0.5, 0)]


def test_what_sounds_at_once_is_added_up_within_the_range() -> None:
    side = Side(RATE)
    side.add(ONE, 0, sound(1, 30_000))
    side.add(OTHER, 0.5, sound(1, 30_000))
    assert stretches(side.take(2)) == [(0.5, 30_000), (0.5, 32_767), (0.5, 30_000), (0.5, 0)]


def test_a_voice_is_cut_and_the_other_is_not() -> None:
    side = Side(RATE)
    side.add(ONE, 0, sound(1))
    side.add(ONE, 1, sound(1))
    side.add(OTHER, 0, sound(2, 10))
    side.cut(ONE, 0.5)
    assert stretches(side.take(2)) == [(0.5, 110), (1.5, 10)]


def test_what_is_not_due_yet_comes_later() -> None:
    side = Side(RATE)
    side.add(ONE, 0.5, sound(1))
    side.add(OTHER, 3, sound(1, 10))
    assert stretches(side.take(1)) == [(0.5, 0), (0.5, 100)]
    assert stretches(side.take(4)) == [(0.5, 100), (1.5, 0), (1, 10)]


def test_what_has_been_taken_is_not_heard_again() -> None:
    side = Side(RATE)
    side.take(1)
    side.add(ONE, 0.5, sound(1))
    side.add(ONE, 0, sound(0.5))
    assert stretches(side.take(2)) == [(0.5, 100), (0.5, 0)]
    assert side.take(1.5).size == 0


@given(st.lists(st.floats(0.01, 3), min_size=1, max_size=20), st.floats(0, 2))
def test_in_however_many_pieces_it_is_taken_it_is_the_same(
    steps: list[float], start: float
) -> None:
    whole, pieces = Side(RATE), Side(RATE)
    for side in (whole, pieces):
        side.add(ONE, start, np.arange(2000, dtype=np.int16))
    taken, until = [], 0.0
    for step in steps:
        until += step
        taken.append(pieces.take(until))
    assert np.array_equal(np.concatenate(taken), whole.take(until))


@pytest.mark.parametrize(
    ("arrivals", "starts"),
    [
        ([1.0, 1.1, 1.2], [0.9, 1.0, 1.1]),
        ([1.0, 1.13, 1.2], [0.9, 1.0, 1.1]),  # one was late on its way
        ([1.0, 1.4, 1.4, 1.4], [0.9, 1.0, 1.1, 1.2]),  # our loop was blocked
        ([1.0, 3.0, 3.1], [0.9, 2.9, 3.0]),  # a pause
        ([0.05], [0.0]),
    ],
)
def test_frames_from_the_network_follow_each_other(
    arrivals: list[float], starts: list[float]
) -> None:
    heard = Heard()
    assert [heard.start(each, 0.1) for each in arrivals] == pytest.approx(starts)


def test_a_clock_that_is_fast_never_makes_frames_overlap() -> None:
    heard, end = Heard(), 0.0
    for number in range(2000):
        start = heard.start(1 + 0.09 * number, 0.1)
        assert start >= end - 1e-9
        end = start + 0.1
    assert end > 1 + 0.09 * 2000 + LATEST_SECONDS


def test_frames_that_are_passed_on_ahead_sound_one_after_the_other() -> None:
    played = Played()
    assert [played.start(1.0, 0.1), played.start(1.0, 0.1)] == pytest.approx([1.0, 1.1])
    played.cut(1.05)
    assert played.start(1.05, 0.1) == pytest.approx(1.05)
    played.cut(9)
    assert played.start(2.0, 0.1) == pytest.approx(2.0)
