"""A transcript knows its times and its confidence from its words."""

import pytest

from stt_assemblyai.events import SpokenWord, Transcript


def word(text: str, start: int, end: int, confidence: float) -> SpokenWord:
    return SpokenWord(text, start, end, confidence, final=True, speaker=None)


def test_a_transcript_spans_its_words() -> None:
    said = Transcript(
        "s", 0, "two please", (word("two", 100, 300, 0.5), word("please", 400, 900, 1))
    )
    assert (said.start_ms, said.end_ms) == (100, 900)
    assert said.confidence == pytest.approx(0.75)


def test_a_transcript_without_words_has_no_extent() -> None:
    said = Transcript("s", 0, "two please", ())
    assert (said.start_ms, said.end_ms, said.confidence) == (0, 0, 0.0)
