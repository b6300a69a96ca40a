"""Several voices in one sound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from livekit import rtc

from agent.call.voices.mixer import MOST_BEHIND, Mixer

SAMPLES = 4


def frame(*values: int) -> rtc.AudioFrame:
    return rtc.AudioFrame(np.array(values * SAMPLES, np.int16).tobytes(), 16_000, 1, SAMPLES)


def values(frames: list[rtc.AudioFrame]) -> list[int]:
    return [int(np.frombuffer(each.data, np.int16)[0]) for each in frames]


def test_one_voice_is_heard_as_it_is() -> None:
    mixer = Mixer()
    assert [values(mixer.push("ann", frame(each))) for each in (1, 2, 3)] == [[1], [2], [3]]


def test_two_voices_are_added_up() -> None:
    mixer = Mixer()
    mixer.push("bob", frame(5))
    assert values(mixer.push("ann", frame(1))) == []  # until the other one comes
    assert values(mixer.push("bob", frame(10))) == [11]


@pytest.mark.parametrize(("one", "sum_"), [(30_000, 32_767), (-30_000, -32_768)])
def test_what_is_too_loud_is_clipped(one: int, sum_: int) -> None:
    mixer = Mixer()
    mixer.push("bob", frame(0))
    mixer.push("ann", frame(one))
    assert values(mixer.push("bob", frame(one))) == [sum_]


def test_a_voice_that_stops_coming_is_waited_for_once() -> None:
    mixer = Mixer()
    mixer.push("bob", frame(0))
    heard = [values(mixer.push("ann", frame(number))) for number in range(1, MOST_BEHIND + 3)]
    assert heard == [*[[]] * (MOST_BEHIND - 1), [*range(1, MOST_BEHIND + 1)], [4], [5]]


def test_a_voice_that_ends_is_waited_for_no_longer_and_the_last_one_is_told() -> None:
    mixer = Mixer()
    mixer.push("bob", frame(0))
    mixer.push("ann", frame(1))
    assert mixer.leave("bob") is False
    assert values(mixer.push("ann", frame(2))) == [1, 2]
    assert mixer.leave("ann") is True
    assert mixer.leave("ann") is False


@given(some.lists(some.sampled_from(["ann", "bob", "cat"]), max_size=60))
def test_the_sound_is_never_longer_than_the_voice_that_brought_most(order: list[str]) -> None:
    mixer = Mixer()
    brought = {"ann": 0, "bob": 0, "cat": 0}
    heard = 0
    for voice in order:
        brought[voice] += 1
        heard += len(mixer.push(voice, frame(1)))
        assert heard <= sum(brought.values())
        assert heard >= max(brought.values()) - MOST_BEHIND
