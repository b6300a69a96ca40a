"""A caller's newest sound, and how long it has been quiet."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from agent.call.turns.end_of_turn.sound import LatestSound, Quiet

VOICE, QUIET = 0.9, 0.1
FRAME_SECONDS = 0.032


def frame(
    samples: np.ndarray[tuple[int], np.dtype[np.int16]], rate: int = 16_000
) -> rtc.AudioFrame:
    return rtc.AudioFrame(samples.tobytes(), rate, 1, samples.size)


@given(st.lists(st.integers(1, 9000), max_size=12))
def test_the_newest_sound_is_kept_and_no_more(sizes: list[int]) -> None:
    latest = LatestSound(seconds=1.0)
    whole = np.arange(sum(sizes)).astype(np.int16)
    begin = 0
    for size in sizes:
        latest.push([frame(whole[begin : begin + size])])
        begin += size
    assert latest.samples().tolist() == whole[-16_000:].tolist()


def test_another_rate_is_brought_to_16_khz() -> None:
    latest = LatestSound(seconds=1.0)
    tone = (8000 * np.sin(np.arange(48_000 * 2) * 2 * np.pi * 400 / 48_000)).astype(np.int16)
    for piece in tone.reshape(-1, 1500):
        latest.push([frame(piece, 48_000)])
    sound = latest.samples().astype(float)
    assert sound.size == 16_000
    assert np.argmax(np.abs(np.fft.rfft(sound))) == 400


def asked_at(*heard: tuple[float, float]) -> list[float]:
    """When it is time to ask, in seconds: `heard` are durations and probabilities of a voice."""
    quiet, seconds, found = Quiet(0.5, (0.2, 0.4)), 0.0, []
    for duration, probability in heard:
        for _ in range(round(duration / FRAME_SECONDS)):
            seconds += FRAME_SECONDS
            if quiet.hear(FRAME_SECONDS, probability):
                found.append(round(seconds, 3))
    return found


def test_the_detector_is_asked_when_the_voice_has_been_quiet_and_once_more_while_it_stays_so() -> (
    None
):
    assert asked_at((0.64, VOICE), (3.2, QUIET)) == [0.864, 1.056]


def test_it_is_asked_in_every_pause() -> None:
    pauses = ((0.64, VOICE), (0.224, QUIET))
    assert asked_at(*pauses, *pauses) == [0.864, 1.728]


def test_nothing_is_asked_before_a_voice_or_in_too_short_a_pause() -> None:
    assert asked_at((3.2, QUIET)) == []
    assert asked_at((0.64, VOICE), (0.16, QUIET), (0.64, VOICE), (0.16, QUIET)) == []


def test_a_piece_of_sound_that_brings_two_questions_asks_once() -> None:
    quiet = Quiet(0.5, (0.2, 0.4))
    assert not quiet.hear(1.0, VOICE)
    assert quiet.hear(1.0, QUIET)
    assert not quiet.hear(1.0, QUIET)
    assert (quiet.seconds, quiet.pauses) == (2.0, 1)
