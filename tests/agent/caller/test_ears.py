"""All tracks of a room are heard together, each at its time."""

import numpy as np

from agent.caller.ears import Ears

RATE = 8_000
LOUD = np.full(RATE, 10_000, np.int16)


def test_speech_is_found_in_every_track_and_told_in_order() -> None:
    ears = Ears(RATE)
    late, early = ears.open(), ears.open()
    late.take(5.0, LOUD)
    early.take(1.0, LOUD)
    assert [round(span.start_seconds, 2) for span in ears.spans] == [1.0, 5.0]
    assert ears.hear_speech


def test_silence_after_speech_is_no_speech() -> None:
    ears = Ears(RATE)
    ear = ears.open()
    ear.take(0.0, LOUD)
    ear.take(1.0, np.zeros(RATE, np.int16))
    assert not ears.hear_speech


def test_what_is_said_at_once_is_heard_at_once_and_never_overflows() -> None:
    ears = Ears(RATE)
    for level in (10_000, 15_000, 20_000):
        ears.open().take(0.0, np.full(RATE, level, np.int16))
    assert ears.between(0.0, 0.5).max() == 32_767


def test_a_stretch_without_sound_is_silence_of_its_length() -> None:
    ears = Ears(RATE)
    ears.open().take(0.0, LOUD)
    silence = ears.between(2.0, 3.0)
    assert silence.max() == 0
    assert abs(silence.size - RATE) <= 1


def test_a_track_that_goes_in_mid_word_is_heard_no_more() -> None:
    ears = Ears(RATE)
    ear = ears.open()
    ear.take(0.0, LOUD)
    assert ears.hear_speech
    ear.close()
    assert not ears.hear_speech
