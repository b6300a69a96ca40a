"""What nobody said is no turn."""

from typing import Any

import pytest

from stt_assemblyai.messages import SpeechStarted, Turn, Word
from stt_assemblyai.noise import without_noise


def turn(**fields: Any) -> Turn:
    word = Word(text="silence", start=0, end=100)
    return Turn(type="Turn", turn_order=0, end_of_turn=True, words=(word,), **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"transcript": " silence  silence", "utterance": "[Silence] [Silence]"},
        {"transcript": " silence  silence"},
        {"transcript": "[Silence]"},
        {"transcript": " Music", "utterance": "[Music]."},
        {"transcript": "[Soft music] [Applause]"},
    ],
)
def test_a_turn_of_sounds_alone_has_no_words(fields: dict[str, str]) -> None:
    left = without_noise(turn(**fields))
    assert (left.transcript, left.utterance, left.words) == ("", "", ())
    assert left.end_of_turn


@pytest.mark.parametrize(
    "fields",
    [
        {"transcript": "silence please", "utterance": "Silence, please."},
        {"transcript": "[Music] hello"},
        {"transcript": ""},
    ],
)
def test_words_are_left_as_they_are(fields: dict[str, str]) -> None:
    said = turn(**fields)
    assert without_noise(said) is said


def test_what_is_no_turn_is_left_as_it_is() -> None:
    started = SpeechStarted(type="SpeechStarted", timestamp=5)
    assert without_noise(started) is started
