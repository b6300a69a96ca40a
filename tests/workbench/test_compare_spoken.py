"""Speech that can be counted, and the ear that counts it."""

from collections.abc import Iterator

import pytest

from workbench.bench.compare.spoken import CountingRecognizer, bare, count, pcm, say, sentences
from workbench.standins.assemblyai_v3.hearing import Hearing

RATE = 16_000
SPEECH = say("Two tickets, please.")  # at 300, 600 (and a pause), 1450 ms


def hear(audio: bytes, *, chunk_ms: int = 50, drafts: bool = False) -> Iterator[Hearing]:
    ear = CountingRecognizer(SPEECH, RATE, drafts=drafts, speakers=False)
    size = RATE * chunk_ms // 1000 * 2
    for start in range(0, len(audio), size):
        yield from ear.listen(audio[start : start + size], chunk_ms)


def sound(from_ms: int, until_ms: int) -> bytes:
    return pcm(SPEECH, from_ms=from_ms, until_ms=until_ms, sample_rate=RATE)


def understood(audio: bytes) -> list[str]:
    *_, last = hear(audio)
    return [word.text for word in last.words if word.is_final]


def test_what_arrives_is_understood_word_for_word() -> None:
    *_, last = hear(sound(0, 2500))
    assert [(w.text, w.start_ms, w.end_ms) for w in last.words] == [
        ("Two", 300, 560),  # times are as coarse as a step
        ("tickets,", 600, 860),
        ("please.", 1440, 1700),
    ]
    assert last.is_settled
    assert last.silence_ms == 800
    assert last.end_of_turn_confidence == 0.9


@pytest.mark.parametrize("chunk_ms", [50, 70, 1000])
def test_the_length_of_chunks_does_not_matter(chunk_ms: int) -> None:
    heard = [hearing.words for hearing in hear(sound(0, 2000), chunk_ms=chunk_ms)]
    assert heard == [hearing.words for hearing in hear(sound(0, 2000))][: len(heard)]


@pytest.mark.parametrize(
    ("cut_ms", "words"),
    [
        (300, ["Two", "tickets,", "please."]),
        (390, ["Two", "tickets,", "please."]),  # nearly all of it is there
        (420, ["tickets,", "please."]),
        (600, ["tickets,", "please."]),
    ],
)
def test_a_word_is_understood_only_if_most_of_it_arrives(cut_ms: int, words: list[str]) -> None:
    assert understood(sound(cut_ms, 2500)) == words


def test_audio_that_is_left_out_is_not_understood() -> None:
    assert understood(sound(0, 590) + sound(900, 2500)) == ["Two", "please."]


def test_audio_that_is_sent_twice_is_understood_twice() -> None:
    assert understood(sound(0, 590) + sound(0, 2500)) == ["Two", "Two", "tickets,", "please."]


def test_a_word_that_is_being_said_may_be_spelt_otherwise() -> None:
    ear = CountingRecognizer(say("Two tickets.", drafts=True), RATE, drafts=True, speakers=False)
    audio = pcm(say("Two tickets."), from_ms=0, until_ms=720, sample_rate=RATE)
    *_, last = ear.listen(audio, 720)
    assert [word.text for word in last.words] == ["Two", "tickets-"]
    assert [word.text for word in ear.conclude().words] == ["Two", "tickets."]


def test_words_are_counted_once_and_doubles_apart() -> None:
    assert count(SPEECH, ["two tickets", "tickets please"]) == (3, 1)
    assert count(SPEECH, ["Two cats, please."]) == (2, 0)


def test_no_word_of_long_talk_comes_twice() -> None:
    words = bare(sentences(60))
    assert len(words) == len(set(words)) > 120
