"""A voice is told from the quiet behind it, however loud the line is."""

import math

import numpy as np
import pytest

from stt_assemblyai.audio import ReplayBuffer
from stt_assemblyai.loudness import (
    Calm,
    StallDetector,
    _percentile,
    has_voice,
    is_quiet,
    voice_end_ms,
)
from stt_assemblyai.transcript import SpokenWord

RATE = 16_000


def sound(loudness: float, duration_ms: int) -> bytes:
    draw = np.random.default_rng(0)
    return (draw.standard_normal(RATE * duration_ms // 1000) * loudness).astype("<i2").tobytes()


def heard(*pieces: tuple[float, int]) -> ReplayBuffer:
    buffer = ReplayBuffer(RATE)
    for loudness, duration_ms in pieces:
        buffer.append(sound(loudness, duration_ms))
    return buffer


def word(start_ms: int, end_ms: int) -> SpokenWord:
    return SpokenWord("hello", start_ms, end_ms, 0.9, final=True, speaker=None)


@pytest.mark.parametrize("gain", [0.1, 1, 5])
def test_quiet_is_far_softer_than_the_word_before(gain: float) -> None:
    buffer = heard((3000 * gain, 400), (100 * gain, 100))
    assert is_quiet(buffer, word(0, 400), 80)
    assert not is_quiet(buffer, word(0, 400), 120)


def test_a_word_that_follows_is_not_quiet() -> None:
    assert not is_quiet(heard((3000, 400), (50, 40), (2000, 60)), word(0, 400), 80)


def test_a_noisy_line_is_not_quiet() -> None:
    assert not is_quiet(heard((3000, 400), (1000, 200)), word(0, 400), 80)


def test_the_silence_that_pads_a_word_does_not_count() -> None:
    buffer = heard((20, 600), (3000, 300), (20, 100))
    assert is_quiet(buffer, word(0, 1400), 80)


def test_what_is_no_louder_than_the_line_is_no_word() -> None:
    assert not is_quiet(heard((10, 400), (1, 100)), word(0, 400), 80)


@pytest.mark.parametrize("span", [(600, 900), (450, 500), (420, 500)])
def test_quiet_is_judged_only_behind_a_word_that_is_still_kept(
    span: tuple[int, int],
) -> None:
    buffer = heard((3000, 400), (20, 100))
    assert not is_quiet(buffer, word(*span), 80)
    buffer.release(buffer.end)
    assert not is_quiet(buffer, word(0, 400), 80)


def test_a_voice_ends_where_its_sound_does() -> None:
    buffer = heard((20, 200), (3000, 300), (20, 600))
    assert voice_end_ms(buffer, word(100, 1000)) == 500


def test_a_voice_ends_no_later_than_its_word() -> None:
    assert voice_end_ms(heard((3000, 1000)), word(100, 400)) == 400


@pytest.mark.parametrize("buffer", [heard((1, 1000)), heard()])
def test_without_a_sound_the_word_tells_its_end(buffer: ReplayBuffer) -> None:
    assert voice_end_ms(buffer, word(100, 400)) == 400


def test_a_word_whose_beginning_is_no_longer_kept_ends_at_the_same_time() -> None:
    buffer = heard((20, 200), (3000, 300), (20, 600))
    buffer.release(buffer.position(300))
    assert voice_end_ms(buffer, word(100, 1000)) == 500


@pytest.mark.parametrize(
    ("pieces", "from_ms", "voice"),
    [
        ([(20, 3000)], 1000, False),
        ([(20, 2900), (3000, 100)], 1000, True),
        ([(0, 2900), (100, 100)], 1000, True),  # a soft voice on a line without noise
        ([(100, 3000)], 1000, False),  # the noise of the line
        ([(100, 2900), (1000, 100)], 1000, True),
        ([(3000, 1000), (20, 2000)], 1000, False),  # what was said before
        ([(20, 2000), (3000, 1000)], 2000, True),  # nothing but voice
        ([(20, 2980), (3000, 20)], 1000, False),  # a click
        ([(3000, 1000)], 1000, False),
        ([], 0, False),
    ],
)
def test_a_voice_stands_out_from_the_noise_of_the_line(
    pieces: list[tuple[float, int]], from_ms: int, voice: bool
) -> None:
    assert has_voice(heard(*pieces), from_ms) is voice


def test_half_a_sample_more_is_no_trouble() -> None:
    buffer = heard((3000, 400), (20, 100))
    buffer.append(b"\1")
    assert is_quiet(buffer, word(0, 400), 80)
    assert voice_end_ms(buffer, word(0, 500)) == 400
    assert not has_voice(buffer, 450)


SPEECH = (np.sin(np.arange(800) / 5) * 3000).astype("<i2").tobytes()
HUM = (np.sin(np.arange(800) / 5) * 100).astype("<i2").tobytes()


def send(
    detector: StallDetector, seconds: float, *, start: float = 0.0, speaks: float = 1.0
) -> None:
    """50 ms after 50 ms; of every four seconds the first `speaks` * 4 are spoken."""
    for n in range(round(seconds * 20)):
        pcm = SPEECH if n % 80 < speaks * 80 else HUM
        detector.sent((start + n / 20) * 1000, pcm)


def test_speech_of_which_nothing_is_said_is_noticed_after_the_time_that_was_set() -> None:
    detector = StallDetector(30)
    send(detector, 30)
    assert not detector.stalled
    send(detector, 2, start=30)
    assert detector.stalled
    assert detector.unanswered_from_ms == 0


def test_people_pause_for_breath() -> None:
    detector = StallDetector(30)
    send(detector, 32, speaks=0.5)
    assert detector.stalled


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_quiet_line_needs_no_answer(share: float) -> None:
    detector = StallDetector(30)
    send(detector, 300, speaks=share)
    assert not detector.stalled


def test_speech_counts_from_where_it_begins() -> None:
    detector = StallDetector(30)
    send(detector, 60, speaks=0)
    send(detector, 20, start=60)
    assert not detector.stalled
    assert 59_000 < detector.unanswered_from_ms < 60_000


def test_an_answer_settles_what_was_sent_before() -> None:
    detector = StallDetector(30)
    send(detector, 29)
    detector.answered()
    assert detector.unanswered_from_ms == math.inf
    send(detector, 29, start=29)
    assert not detector.stalled


def test_music_on_hold_costs_one_session_and_not_one_after_the_other() -> None:
    detector = StallDetector(30)
    send(detector, 32)
    detector.restart()
    send(detector, 600)
    assert not detector.stalled
    detector.answered()
    send(detector, 32, start=600)
    assert detector.stalled


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_percentile_is_what_numpy_takes_for_one(share: float) -> None:
    levels = np.random.default_rng(0).random(40) * 3000
    for size in range(1, 40):
        expected = np.percentile(levels[:size], 100 * share)
        assert _percentile(levels[:size], share) == pytest.approx(expected)


def calm_after(*pieces: tuple[float, int]) -> list[bool]:
    """Whether it is calm after each 50 ms of these."""
    calm, step = Calm(), RATE // 20 * 2
    pcm = b"".join(sound(*piece) for piece in pieces)
    return [calm.after(pcm[at : at + step]) for at in range(0, len(pcm), step)]


@pytest.mark.parametrize("noise", [0, 20, 300])
def test_a_line_is_calm_when_nobody_has_spoken_on_it_for_half_a_second(noise: float) -> None:
    settling = (noise, 20_000)
    was_calm = calm_after(settling, (3000, 1000), (noise, 2000))
    at = len(was_calm) - 60
    assert all(was_calm[at - 40 : at])
    assert not any(was_calm[at : at + 20 + 9])
    assert all(was_calm[at + 20 + 15 :])


def test_a_voice_ends_the_calm_with_its_first_piece() -> None:
    was_calm = calm_after((20, 5000), (300, 50))
    assert was_calm[-2:] == [True, False]


def test_half_a_sample_spoils_no_calm() -> None:
    calm = Calm()
    assert [calm.after(bytes(8001)) for _ in range(2)] == [False, True]
    assert calm.after(b"")
