"""LiveKit's end-of-turn detector, as it is installed."""

import numpy as np
import pytest

from agent.call.turns.end_of_turn.detector import SAMPLE_RATE, LiveKitDetector
from agent.caller.microphone import SAMPLE_RATE as SPOKEN_RATE
from workbench.local.calling.corpus import dickens, resampled


def unused(samples: object) -> float:
    raise AssertionError(samples)


@pytest.mark.parametrize(
    ("language", "threshold"),
    [("en", 0.36), ("en-US", 0.36), ("", 0.36), ("de", 0.245), ("zh-Hant-TW", 0.355), ("fi", 0.36)],
)
def test_its_thresholds_are_livekits_and_english_where_there_is_none(
    language: str, threshold: float
) -> None:
    assert LiveKitDetector(unused).threshold(language) == threshold


async def test_it_hears_where_a_sentence_is_over_and_silence_is_no_turn() -> None:
    detector = LiveKitDetector()
    spoken = resampled(dickens()[0].samples, SPOKEN_RATE, SAMPLE_RATE)
    pause = np.zeros(round(0.4 * SAMPLE_RATE), np.int16)
    silence = np.zeros(round(1.2 * SAMPLE_RATE), np.int16)
    over = await detector.probability(np.concatenate([spoken, pause]))
    assert over >= detector.threshold("en") > await detector.probability(silence)


async def test_a_sound_that_is_shorter_than_its_window_will_do() -> None:
    assert 0 <= await LiveKitDetector().probability(np.zeros(100, np.int16)) <= 1
