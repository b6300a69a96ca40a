"""Speech is found by its energy, at its true time."""

import numpy as np
import pytest

from agent.caller.speech_energy import EnergyDetector, Samples, Span, speech_spans

RATE = 16_000


def tone(seconds: float, *, dbfs: float = -12.0) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    amplitude = 32767 * 2**0.5 * 10 ** (dbfs / 20)
    return (amplitude * np.sin(2 * np.pi * 440 * times)).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def rounded(spans: list[Span]) -> list[tuple[float, float]]:
    return [(round(span.start_seconds, 2), round(span.end_seconds, 2)) for span in spans]


def test_speech_is_found_where_it_is() -> None:
    sound = np.concatenate([silence(0.5), tone(0.3), silence(1), tone(0.2)])
    spans = speech_spans(sound, RATE, pause_seconds=0.5)
    assert rounded(spans) == [(0.5, 0.8), (1.8, 2.0)]


def test_a_short_pause_does_not_end_speech() -> None:
    sound = np.concatenate([tone(0.3), silence(0.4), tone(0.2)])
    assert rounded(speech_spans(sound, RATE, pause_seconds=0.5)) == [(0.0, 0.9)]


def test_a_click_is_not_speech() -> None:
    sound = np.concatenate([silence(0.5), tone(0.02), silence(0.5)])
    assert speech_spans(sound, RATE, pause_seconds=0.5) == []


def test_faint_noise_is_not_speech() -> None:
    assert speech_spans(tone(1, dbfs=-60), RATE, pause_seconds=0.5) == []


@pytest.mark.parametrize("frame", [1, 7, 160, 161, 480, 4800])
def test_spans_do_not_depend_on_how_the_sound_is_cut(frame: int) -> None:
    sound = np.concatenate([silence(0.25), tone(0.3), silence(0.7), tone(0.2)])
    detector = EnergyDetector(RATE, pause_seconds=0.5)
    for first in range(0, sound.size, frame):
        detector.feed(first / RATE, sound[first : first + frame])
    assert rounded(detector.spans) == [(0.25, 0.55), (1.25, 1.45)]


def test_speech_goes_on_through_a_pause_and_then_is_over() -> None:
    detector = EnergyDetector(RATE, pause_seconds=0.5)
    detector.feed(10.0, tone(0.3))
    detector.feed(10.3, silence(0.4))
    assert detector.current is not None
    detector.feed(10.7, silence(0.2))
    assert detector.current is None
    assert rounded(detector.spans) == [(10.0, 10.3)]


def test_speech_that_breaks_off_with_its_track_is_over() -> None:
    detector = EnergyDetector(RATE, pause_seconds=0.5)
    detector.feed(10.0, tone(0.3))
    detector.close()
    assert detector.current is None
    assert rounded(detector.spans) == [(10.0, 10.3)]


def test_a_track_that_goes_in_silence_leaves_what_was_heard() -> None:
    detector = EnergyDetector(RATE, pause_seconds=0.5)
    detector.close()
    assert detector.spans == []
