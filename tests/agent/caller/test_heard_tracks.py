"""All tracks of a room are heard together, each at its time."""

import numpy as np

from agent.caller.heard_tracks import HeardTracks

RATE = 8_000
LOUD = np.full(RATE, 10_000, np.int16)


def test_speech_is_found_in_every_track_and_told_in_order() -> None:
    tracks = HeardTracks(RATE)
    late, early = tracks.open(), tracks.open()
    late.take(5.0, LOUD)
    early.take(1.0, LOUD)
    assert [round(span.start_seconds, 2) for span in tracks.spans] == [1.0, 5.0]
    assert tracks.hear_speech


def test_silence_after_speech_is_no_speech() -> None:
    tracks = HeardTracks(RATE)
    track = tracks.open()
    track.take(0.0, LOUD)
    track.take(1.0, np.zeros(RATE, np.int16))
    assert not tracks.hear_speech


def test_what_is_said_at_once_is_heard_at_once_and_never_overflows() -> None:
    tracks = HeardTracks(RATE)
    for level in (10_000, 15_000, 20_000):
        tracks.open().take(0.0, np.full(RATE, level, np.int16))
    assert tracks.between(0.0, 0.5).max() == 32_767


def test_a_stretch_without_sound_is_silence_of_its_length() -> None:
    tracks = HeardTracks(RATE)
    tracks.open().take(0.0, LOUD)
    silence = tracks.between(2.0, 3.0)
    assert silence.max() == 0
    assert abs(silence.size - RATE) <= 1


def test_a_track_that_goes_in_mid_word_is_heard_no_more() -> None:
    tracks = HeardTracks(RATE)
    track = tracks.open()
    track.take(0.0, LOUD)
    assert tracks.hear_speech
    track.close()
    assert not tracks.hear_speech
