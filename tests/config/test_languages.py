"""The languages in which the agent says what it says by itself."""

from dataclasses import astuple

import pytest

from config.languages import HEARS_ALL, LANGUAGES, SENTENCES, hears, told_to_speak
from config.phrases import read_phrasebook
from config.values import ROOT


def test_each_language_has_its_own_sentences_and_phrases() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    said = [sentence for each in SENTENCES.values() for sentence in astuple(each)]
    assert len({*said}) == len(said) == 4 * len(LANGUAGES)
    book = read_phrasebook(ROOT / "agent/call/phrases")
    assert len({book.of(each) for each in LANGUAGES}) == len(LANGUAGES)


def test_english_instructions_name_every_other_language() -> None:
    assert told_to_speak("en") == ""
    assert told_to_speak("de") == "Speak German."
    assert len({told_to_speak(each) for each in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("model", "hears_german"),
    [
        ("universal-streaming-english", False),
        (HEARS_ALL, True),
        ("universal-3-6-pro", True),
        ("whisper-rt", True),
        ("a-new-model", True),
    ],
)
def test_which_models_hear_more_than_english(model: str, hears_german: bool) -> None:
    assert hears(model, "de") is hears_german
    assert hears(model, "en")
