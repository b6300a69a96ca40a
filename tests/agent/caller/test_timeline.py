"""Sound lies on the clock where it was heard."""

import wave
from pathlib import Path

import numpy as np

from agent.caller.timeline import Timeline, write_stereo

ONE = np.full(10, 1, np.int16)
TWO = np.full(10, 2, np.int16)


def test_a_piece_lies_at_its_time_and_silence_before_it() -> None:
    track = Timeline(100)
    track.put(0.2, ONE)
    assert track.render().tolist() == [0] * 20 + [1] * 10
    assert track.seconds == 0.3


def test_a_gap_stays_a_gap() -> None:
    track = Timeline(100)
    track.put(0.0, ONE)
    track.put(0.2, TWO)
    assert track.render().tolist() == [1] * 10 + [0] * 10 + [2] * 10


def test_what_came_late_but_without_a_gap_joins_seamlessly() -> None:
    track = Timeline(100, gap_seconds=1.0)
    track.put(0.0, ONE)
    assert track.put(0.6, TWO) == 0.1
    assert track.render().tolist() == [1] * 10 + [2] * 10


def test_a_track_that_began_late_moves_back_to_the_true_time() -> None:
    track = Timeline(100, gap_seconds=1.0)
    track.put(0.5, ONE)
    assert track.put(0.5, TWO) == 0.5
    assert track.render().tolist() == [0] * 50 + [2] * 10


def test_what_comes_far_too_early_shortens_nothing() -> None:
    track = Timeline(100)
    track.put(1.0, ONE)
    track.put(0.0, TWO)
    assert track.render().tolist() == [2] * 10 + [0] * 90 + [1] * 10


def test_a_stretch_can_be_cut_out() -> None:
    track = Timeline(100)
    track.put(0.1, ONE)
    assert track.between(0.05, 0.15).tolist() == [0] * 5 + [1] * 5


def test_both_sides_of_a_call_share_one_file(tmp_path: Path) -> None:
    write_stereo(tmp_path / "deep" / "call.wav", ONE, np.concatenate([TWO, TWO]), 100)
    with wave.open(str(tmp_path / "deep" / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 100, 2)
        frames = np.frombuffer(file.readframes(20), "<i2").reshape(-1, 2)
    assert frames[:, 0].tolist() == [1] * 10 + [0] * 10
    assert frames[:, 1].tolist() == [2] * 20
