"""Sound at another rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.caller.resampling import Samples, resampled


def tone(hertz: float, rate: int, seconds: float = 0.5) -> Samples:
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(
        np.int16
    )


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 44_100])
@pytest.mark.parametrize("wanted_rate", [8000, 16_000, 48_000])
def test_a_tone_stays_the_same_tone_and_is_not_delayed(rate: int, wanted_rate: int) -> None:
    found = resampled(tone(700, rate), rate, wanted_rate)
    wanted = tone(700, wanted_rate)
    assert abs(found.size - wanted.size) <= 1
    inner = slice(wanted_rate // 50, wanted.size - wanted_rate // 50)
    off = found[inner].astype(np.int32) - wanted[inner]
    assert np.abs(off).max() <= 20


def test_what_is_too_high_for_the_lower_rate_is_gone() -> None:
    found = resampled(tone(7000, 48_000), 48_000, 8000)
    assert np.abs(found[200:-200]).max() <= 8


def test_no_sound_and_the_same_rate_stay_as_they_are() -> None:
    sound = tone(700, 8000)
    assert resampled(sound, 8000, 8000) is sound
    assert resampled(sound[:0], 8000, 16_000).size == 0


@given(st.integers(1, 50), st.sampled_from([(8000, 48_000), (48_000, 16_000), (44_100, 16_000)]))
def test_what_is_short_and_as_loud_as_can_be_stays_so(size: int, rates: tuple[int, int]) -> None:
    rate, wanted_rate = rates
    found = resampled(np.full(size, 32767, np.int16), rate, wanted_rate)
    assert found.size == -(-size * wanted_rate // rate)
    assert found[found.size // 2] > 10_000
