"""A message says whole turns, on the stream's clock, and text never goes backwards."""

from typing import Any

import pytest

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.messages import Turn
from stt_assemblyai.transcript import (
    SpokenWord,
    SpokenWords,
    Transcript,
    heard_words,
    known,
    read,
    shared,
)


def words(text: str, *, first: int = 0, length_ms: int = 250) -> tuple[SpokenWord, ...]:
    """Words that begin every 300 ms; a star marks one that is not final."""
    return tuple(
        SpokenWord(
            word.removesuffix("*"),
            300 * number,
            300 * number + length_ms,
            0.9,
            final=not word.endswith("*"),
            speaker=None,
        )
        for number, word in enumerate(text.split(), first)
    )


def texts(spoken: tuple[SpokenWord, ...]) -> str:
    return " ".join(word.text for word in spoken)


def turn(transcript: str, spoken: str, **fields: Any) -> Turn:
    listed = [
        {"text": word.text, "start": word.start_ms, "end": word.end_ms, "word_is_final": word.final}
        for word in words(spoken)
    ]
    message = {"type": "Turn", "turn_order": 2, "end_of_turn": False, "transcript": transcript}
    return Turn.model_validate({**message, "words": listed, **fields})


def spoken_words(message: Turn, clock: AudioClock) -> tuple[SpokenWord, ...]:
    return SpokenWords().of(message.words, clock)


def test_words_lie_on_the_streams_clock() -> None:
    clock = AudioClock()
    clock.sent(5000, 10_000)
    (word,) = spoken_words(turn("", "hi"), clock)
    assert (word.start_ms, word.end_ms) == (5000, 5250)


@pytest.mark.parametrize(
    ("transcript", "spoken", "whole"),
    [
        ("hi", "hi the*", "hi the"),  # US: the transcript has final words alone
        ("", "hi*", "hi"),
        ("Hi, there!", "hi there", "Hi, there!"),
        ("", "hi there", "hi there"),  # the words tell it, where the transcript does not
        ("  ", "hi there*", "hi there"),
        ("I'd like—", "I'd* like*", "I'd like—"),  # U3: no word is final, the transcript is whole
    ],
)
def test_a_text_is_the_whole_turn_on_both_families(
    transcript: str, spoken: str, whole: str
) -> None:
    message = turn(transcript, spoken)
    heard = spoken_words(message, AudioClock())
    assert read(message, heard, heard, "s").text == whole


def test_a_text_of_some_of_the_words_is_made_of_them() -> None:
    message = turn("Hi, there!", "hi there", speaker_label="B", language_code="en")
    heard = spoken_words(message, AudioClock())
    transcript = read(message, heard, heard[1:], "s")
    assert transcript.text == "there"
    assert (transcript.session_id, transcript.turn_order) == ("s", 2)
    assert (transcript.speaker, transcript.language) == ("B", "en")


@pytest.mark.parametrize(("label", "speaker"), [("A", "A"), ("PENDING", None), ("UNKNOWN", None)])
def test_some_labels_are_no_speakers(label: str, speaker: str | None) -> None:
    assert known(label) == speaker


def test_a_word_without_a_text_is_none_and_no_word_ends_before_it_begins() -> None:
    message = Turn.model_validate(
        {
            "type": "Turn",
            "turn_order": 0,
            "words": [{"text": " ", "start": 0, "end": 9}, {"text": "a", "start": 500, "end": 400}],
        }
    )
    (word,) = spoken_words(message, AudioClock())
    assert (word.text, word.start_ms, word.end_ms) == ("a", 500, 500)


def clock_at(sent_ms: float) -> AudioClock:
    clock = AudioClock()
    clock.sent(0, sent_ms)
    return clock


@pytest.mark.parametrize(
    ("transcript", "from_ms", "places"),
    [
        ("", 0, []),
        ("hi there", 3500, [(3500, 3750), (3750, 4000)]),
        ("hi there", 0, [(3200, 3600), (3600, 4000)]),
        ("hi there", 9000, [(9000, 9000), (9000, 9000)]),
    ],
)
def test_a_text_without_words_lies_before_the_newest_audio(
    transcript: str, from_ms: int, places: list[tuple[int, int]]
) -> None:
    placed = heard_words(turn(transcript, ""), (), clock_at(4000), None, from_ms)
    assert texts(placed) == transcript
    assert [(word.start_ms, word.end_ms) for word in placed] == places


def test_a_text_without_words_lies_where_its_turn_is_known_to_lie() -> None:
    message = turn("hi there", "hi there")
    heard = spoken_words(message, AudioClock())
    before = read(message, heard, heard, "s")
    same = heard_words(turn("Hi, there!", ""), (), clock_at(4000), before, 0)
    assert texts(same) == "Hi, there!"
    assert [(w.start_ms, w.end_ms) for w in same] == [(w.start_ms, w.end_ms) for w in heard]
    longer = heard_words(turn("hi there friend", ""), (), clock_at(900), before, 5000)
    assert [word.start_ms for word in longer] == [0, 300, 600]
    other = heard_words(turn("hi there", "", turn_order=3), (), clock_at(4000), before, 3900)
    assert [word.start_ms for word in other] == [3900, 3950]
    assert heard_words(message, heard, AudioClock(), before, 0) == heard


def test_words_that_were_there_before_keep_their_place_once_their_audio_is_sent() -> None:
    spoken, clock = SpokenWords(), clock_at(550)
    said = turn("", "one two three*").words
    first = spoken.of(said, clock)
    clock.sent_silence(5000)
    second = spoken.of((*said[:2], *turn("", "one two three four*").words[2:]), clock)
    assert shared(first, second) == 1  # the second word ends at 550
    assert shared(second, spoken.of(said, clock_at(9000))) == 0  # another session's clock


def test_a_word_without_a_text_among_others_is_left_out_each_time() -> None:
    spoken, clock = SpokenWords(), clock_at(60_000)
    said = turn("", "one two three").words
    odd = (said[0], said[1].model_copy(update={"text": " "}), said[2])
    assert texts(spoken.of(odd, clock)) == texts(spoken.of(odd, clock)) == "one three"
    assert texts(spoken.of(said, clock)) == "one two three"


def test_a_long_turns_words_are_put_on_the_clock_once() -> None:
    spoken, clock = SpokenWords(), clock_at(600_000)
    said = turn("", " ".join(map(str, range(400)))).words
    first = spoken.of(said[:399], clock)
    second = spoken.of(said, clock)
    assert shared(first, second) == 399
    assert second == SpokenWords().of(said, clock)


def test_a_transcript_spans_its_words() -> None:
    said = Transcript(
        "s",
        0,
        "two please",
        (
            SpokenWord("two", 100, 300, 0.5, True, None),
            SpokenWord("please", 400, 900, 1, True, None),
        ),
    )
    assert (said.start_ms, said.end_ms) == (100, 900)
    assert said.confidence == pytest.approx(0.75)


def test_a_transcript_without_words_has_no_extent() -> None:
    said = Transcript("s", 0, "two please", ())
    assert (said.start_ms, said.end_ms, said.confidence) == (0, 0, 0.0)
