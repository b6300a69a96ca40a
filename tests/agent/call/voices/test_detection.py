"""When a voice has begun and when it has ended, from the probability of each 32 ms window."""

from collections.abc import Iterable

import pytest
from livekit import rtc
from livekit.agents.vad import VADEvent, VADEventType

from agent.call.voices.detection import WINDOW_SAMPLES, WINDOW_SECONDS, Detection, Limits

RESULT, BEGIN, END = (
    VADEventType.INFERENCE_DONE,
    VADEventType.START_OF_SPEECH,
    VADEventType.END_OF_SPEECH,
)
LIMITS = Limits(0.5, 0.35, least_voice_seconds=0.064, least_silence_seconds=0.096)
WINDOW = rtc.AudioFrame(bytes(WINDOW_SAMPLES * 2), 16_000, 1, WINDOW_SAMPLES)


def told(
    probabilities: Iterable[float], detection: Detection | None = None
) -> list[tuple[int, VADEvent]]:
    """Starts and ends, each with the index of its window."""
    detection = detection or Detection(LIMITS)
    return [
        (index, event)
        for index, each in enumerate(probabilities)
        for event in detection.hear(each, WINDOW, 0.001)
        if event.type is not RESULT
    ]


def kinds(probabilities: Iterable[float]) -> list[tuple[int, VADEventType]]:
    return [(index, event.type) for index, event in told(probabilities)]


def test_a_voice_begins_after_the_least_time_and_ends_after_the_least_silence() -> None:
    assert kinds([1, 1, 0, 0, 0, 0, 0]) == [(1, BEGIN), (4, END)]


def test_a_click_is_no_voice() -> None:
    assert kinds([0, 1, 0, 0, 0, 0]) == []


def test_a_pause_that_is_too_short_does_not_end_a_voice() -> None:
    assert kinds([1, 1, 1, 0, 0, 1, 1, 1]) == [(1, BEGIN)]


def test_a_voice_goes_on_at_a_probability_that_would_not_begin_one() -> None:
    assert kinds([1, 1] + [0.4] * 20) == [(1, BEGIN)]
    assert kinds([0.4] * 20) == []


def test_a_voice_comes_with_the_sound_before_it() -> None:
    (index, begun), *_ = told([0] * 40 + [1] * 5)
    before = round(LIMITS.before_seconds / WINDOW_SECONDS)
    assert len(begun.frames) == before + index - 39
    assert begun.speaking


def test_the_end_tells_how_long_voice_and_silence_were() -> None:
    *_, (_, ended) = told([1] * 10 + [0] * 10)
    assert ended.type is END
    assert ended.speech_duration == pytest.approx(10 * WINDOW_SECONDS)
    assert ended.silence_duration == pytest.approx(3 * WINDOW_SECONDS)
    assert not ended.speaking
    assert len(ended.frames) == 13


def test_no_more_sound_is_kept_than_is_allowed() -> None:
    limits = Limits(0.5, 0.35, longest_seconds=0.32)
    *_, (_, ended) = told([1] * 200 + [0] * 30, Detection(limits))
    assert len(ended.frames) == 26


def test_each_window_has_a_result_with_what_is_known_so_far() -> None:
    detection = Detection(LIMITS)
    first, *_ = detection.hear(0.8, WINDOW, 0.002)
    assert (first.type, first.probability, first.inference_duration) == (RESULT, 0.8, 0.002)
    second, *_ = detection.hear(0.4, WINDOW, 0.0)
    assert second.probability == pytest.approx(0.35 * 0.8 + 0.65 * 0.4)
    assert second.raw_accumulated_speech == pytest.approx(WINDOW_SECONDS)
    assert second.samples_index == 2 * WINDOW_SAMPLES


def test_after_a_reset_another_segment_begins() -> None:
    detection = Detection(LIMITS)
    told([1] * 10, detection)
    detection.reset()
    assert [(index, each.type) for index, each in told([1] * 3, detection)] == [(1, BEGIN)]
