"""The embedded engines understand each other, and nothing where nobody speaks."""

import numpy as np
import pytest

from workbench.standins.engines import weights
from workbench.standins.engines.activity import FRAME_SAMPLES, ActivityDetector
from workbench.standins.engines.moonshine import decode, read_vocabulary
from workbench.standins.engines.recognizer import Recognizer, Samples, voiced_spans
from workbench.standins.engines.synthesizer import Synthesizer

SILENCE = np.zeros(16_000, np.float32)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer.load()


def at_16_khz(speech: Samples) -> Samples:
    count = speech.size * 2 // 3
    return np.interp(np.arange(count) * 1.5, np.arange(speech.size), speech).astype(np.float32)


@pytest.mark.parametrize(
    "sentence", ["What is the weather like today?", "My favourite colour is blue."]
)
def test_what_is_spoken_is_understood(
    recognizer: Recognizer, synthesizer: Synthesizer, sentence: str
) -> None:
    heard = recognizer.transcribe(at_16_khz(synthesizer.speak(sentence)))
    assert heard.lower().strip(".?") == sentence.lower().strip(".?").replace("our", "or")


def test_a_long_recording_is_understood_in_several_passes(
    recognizer: Recognizer, synthesizer: Synthesizer
) -> None:
    sentence = "The quick brown fox jumps over the lazy dog."
    speech = at_16_khz(synthesizer.speak(" ".join([sentence] * 8)))
    assert speech.size > 15 * 16_000
    assert recognizer.transcribe(speech).lower().count("lazy dog") == 8


@pytest.mark.parametrize("loudness", [0.0, 0.02, 0.3])
def test_noise_is_no_text(recognizer: Recognizer, loudness: float) -> None:
    noise = np.random.default_rng(1).normal(0, 1, 48_000).astype(np.float32)
    assert recognizer.transcribe(loudness * noise) == ""


def test_the_shortest_recordings_are_no_text(recognizer: Recognizer) -> None:
    assert recognizer.transcribe(np.zeros(0, np.float32)) == ""
    assert recognizer.transcribe(np.zeros(100, np.float32)) == ""


def test_sentences_come_one_by_one_and_always_the_same(synthesizer: Synthesizer) -> None:
    first = list(synthesizer.stream("One moment, please. I am looking it up."))
    again = list(synthesizer.stream("One moment, please. I am looking it up."))
    assert len(first) == 2
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert max(np.abs(sentence).max() for sentence in first) <= 1


def test_the_detector_tells_speech_from_silence(synthesizer: Synthesizer) -> None:
    detector = ActivityDetector.load()
    speech = at_16_khz(synthesizer.speak("Good morning, this is a test."))
    assert max(detector.probabilities(speech)) > 0.9
    detector.reset()
    assert max(detector.probabilities(SILENCE)) < 0.2
    assert len(detector.probabilities(np.zeros(FRAME_SAMPLES * 3 + 1, np.float32))) == 3


@pytest.mark.parametrize(
    ("runs", "spans"),
    [
        ([], []),
        ([(20, 60)], [(12, 68)]),
        ([(20, 60), (62, 90)], [(12, 98)]),
        ([(20, 60), (200, 240)], [(12, 68), (192, 248)]),
        ([(20, 22)], []),
        ([(0, 700)], [(0, 314), (314, 628), (628, 708)]),
    ],
)
def test_speech_is_cut_into_passes(
    runs: list[tuple[int, int]], spans: list[tuple[int, int]]
) -> None:
    probabilities = [0.0] * 1000
    for start, end in runs:
        probabilities[start:end] = [0.9] * (end - start)
    assert voiced_spans(probabilities) == spans


def test_the_vocabulary_is_read_and_joined() -> None:
    data = b"\x03\xe2\x96\x81" + b"\x02ab" + b"\x04</s>" + b"\x06<0x41>"
    assert decode(iter(read_vocabulary(data))) == "abA"


def test_a_missing_engine_is_one_clear_sentence() -> None:
    with pytest.raises(weights.EngineUnavailableError, match="real keys"):
        weights.package_directory("no_such_engine")
