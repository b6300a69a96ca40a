"""A replay says some words again: each is told once, whatever the second hearing looks like."""

import pytest

from stt_assemblyai.events import SpokenWord
from stt_assemblyai.splice import Seam, bare, replay_from


def words(text: str, *, start_ms: int = 1000, shift_ms: int = 0) -> tuple[SpokenWord, ...]:
    """Words of 250 ms, 50 ms apart."""
    return tuple(
        SpokenWord(
            word,
            start_ms + 300 * index + shift_ms,
            start_ms + 300 * index + 250 + shift_ms,
            0.9,
            final=True,
            speaker=None,
        )
        for index, word in enumerate(text.split())
    )


def fresh(seam: Seam, heard: tuple[SpokenWord, ...]) -> str:
    return " ".join(word.text for word in seam.fresh(heard))


SAID = words("two tickets please")


def test_nothing_said_before_leaves_everything_new() -> None:
    seam = Seam((), 0)
    assert seam.fresh(SAID) is SAID
    assert seam.reached(SAID)


def test_what_was_said_before_the_replay_starts_does_not_matter() -> None:
    assert fresh(Seam(SAID, 1900), words("please", start_ms=1900)) == "please"


@pytest.mark.parametrize("shift_ms", [-300, 0, 300])
def test_words_are_known_again_by_their_text_near_their_time(shift_ms: int) -> None:
    heard = words("tickets, Please and how much", start_ms=1300, shift_ms=shift_ms)
    assert fresh(Seam(SAID, 1200), heard) == "and how much"


def test_a_fragment_in_front_is_dropped_with_them() -> None:
    heard = words("kets please thanks", start_ms=1300)
    assert fresh(Seam(SAID, 1200), heard) == "thanks"


def test_a_word_said_twice_is_told_twice() -> None:
    said = words("no no")
    assert fresh(Seam(said, 900), words("no no no", shift_ms=40)) == "no"


def test_the_same_word_much_later_is_new() -> None:
    assert fresh(Seam(SAID, 900), words("please", start_ms=4000)) == "please"


def test_without_a_word_to_know_again_the_time_decides() -> None:
    heard = words("tickets police thanks", start_ms=1300)
    assert fresh(Seam(SAID, 1200), heard) == "thanks"


def test_the_rest_of_a_word_cut_in_two_is_not_a_word() -> None:
    seam = Seam(SAID, 1700)  # in the middle of "please"
    assert fresh(seam, words("ease", start_ms=1700)) == "ease"[:0]
    assert fresh(seam, words("thanks", start_ms=1900)) == "thanks"


@pytest.mark.parametrize("shift_ms", [-60, 0, 60, 120])
def test_the_rest_of_a_word_is_known_where_two_sessions_heard_the_same(shift_ms: int) -> None:
    for from_ms in (1780, 1860):  # near the end of "please", and silence behind it
        seam = Seam(SAID, from_ms, from_ms + 300)
        times = from_ms + shift_ms, from_ms + shift_ms + 40
        rest = SpokenWord("se", *times, 0.9, final=True, speaker=None)
        assert fresh(seam, (rest, *words("thanks", start_ms=2200 + shift_ms))) == "thanks"


def test_it_is_known_whether_a_hearing_goes_as_far_as_what_was_said() -> None:
    seam = Seam(SAID, 900)
    assert not seam.reached(())
    assert not seam.reached(words("two"))
    assert seam.reached(words("two tickets please"))
    assert seam.reached(words("two tickets police thanks"))


def test_a_replay_starts_at_a_words_edge_shortly_before_the_end() -> None:
    assert replay_from(()) == 0
    assert replay_from(words("a", start_ms=100)) == 0
    said = words("a b c d e f g h i j", start_ms=5000)
    start = replay_from(said)
    assert any(start == word.start_ms - 250 for word in said)
    assert 1000 <= said[-1].start_ms - start <= 2000


def test_case_and_punctuation_do_not_make_another_word() -> None:
    assert bare("I'd,") == bare("id") == "id"
