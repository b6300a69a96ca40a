"""What callers say in tests: recordings whose words are known, as loud as one another."""

import numpy as np
import pytest

from agent.caller.microphone import SAMPLE_RATE
from workbench.local.calling.corpus import recorded, resampled, synthesised
from workbench.local.calling.word_errors import word_error_rate
from workbench.standins.engines.recognizer import Recognizer

pytestmark = pytest.mark.slow


def test_the_recordings_say_what_the_corpus_says() -> None:
    recognizer = Recognizer.load()
    pairs = [
        (
            each.text,
            recognizer.transcribe(
                resampled(each.samples, SAMPLE_RATE, 16_000).astype(np.float32) / 32768
            ),
        )
        for each in recorded()
    ]
    assert len(pairs) > 20
    assert word_error_rate(pairs) < 0.1


def test_utterances_begin_and_end_with_sound_and_are_equally_loud() -> None:
    for utterance in (*recorded(), synthesised("What is seven plus five?")):
        assert np.abs(utterance.samples).max() == pytest.approx(16_383, abs=200)
        tenth = SAMPLE_RATE // 10
        assert np.abs(utterance.samples[:tenth]).max() > 100, utterance.source
        assert np.abs(utterance.samples[-tenth:]).max() > 100, utterance.source
