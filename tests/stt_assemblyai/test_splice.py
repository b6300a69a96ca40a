"""A replay says some words again: each is told once, whatever the second hearing looks like."""

import pytest

from stt_assemblyai.splice import (
    NO_SPLICE,
    ResumePoint,
    Resumption,
    Splice,
    merged,
    replay_from,
    settled,
)
from stt_assemblyai.transcript import SpokenWord


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


def fresh(splice: Splice, heard: tuple[SpokenWord, ...]) -> str:
    return " ".join(word.text for word in splice.fresh(heard))


SAID = words("two tickets please")


def test_nothing_said_before_leaves_everything_new() -> None:
    splice = Splice((), 0)
    assert splice.fresh(SAID) is SAID
    assert splice.reached(SAID)


def test_what_was_said_before_the_replay_starts_does_not_matter() -> None:
    assert fresh(Splice(SAID, 1900), words("please", start_ms=1900)) == "please"


@pytest.mark.parametrize("shift_ms", [-300, 0, 300])
def test_words_are_known_again_by_their_text_near_their_time(shift_ms: int) -> None:
    heard = words("tickets, Please and how much", start_ms=1300, shift_ms=shift_ms)
    assert fresh(Splice(SAID, 1200), heard) == "and how much"


def test_a_fragment_in_front_is_dropped_with_them() -> None:
    heard = words("kets please thanks", start_ms=1300)
    assert fresh(Splice(SAID, 1200), heard) == "thanks"


def test_a_word_said_twice_is_told_twice() -> None:
    said = words("no no")
    assert fresh(Splice(said, 900), words("no no no", shift_ms=40)) == "no"


def test_a_word_said_twice_of_which_one_is_heard_again_so_far_is_not_the_second() -> None:
    splice = Splice(words("and no no"), 900)
    assert fresh(splice, words("and no n")) == ""
    assert fresh(splice, words("and no no never")) == "never"
    assert fresh(splice, words("no never", start_ms=1600)) == "never"  # it hears the second alone


def test_the_same_word_much_later_is_new() -> None:
    assert fresh(Splice(SAID, 900), words("please", start_ms=4000)) == "please"


def test_without_a_word_to_know_again_the_time_decides() -> None:
    heard = words("tickets police thanks", start_ms=1300)
    assert fresh(Splice(SAID, 1200), heard) == "thanks"


def test_the_rest_of_a_word_cut_in_two_is_not_a_word() -> None:
    splice = Splice(SAID, 1700)  # in the middle of "please"
    assert fresh(splice, words("ease", start_ms=1700)) == "ease"[:0]
    assert fresh(splice, words("thanks", start_ms=1900)) == "thanks"


@pytest.mark.parametrize("shift_ms", [-60, 0, 60, 120])
def test_the_rest_of_a_word_is_known_where_two_sessions_heard_the_same(shift_ms: int) -> None:
    for from_ms in (1780, 1860):  # near the end of "please", and silence behind it
        splice = Splice(SAID, from_ms, from_ms + 300)
        times = from_ms + shift_ms, from_ms + shift_ms + 40
        rest = SpokenWord("se", *times, 0.9, final=True, speaker=None)
        assert fresh(splice, (rest, *words("thanks", start_ms=2200 + shift_ms))) == "thanks"


def test_it_is_known_whether_a_hearing_goes_as_far_as_what_was_said() -> None:
    splice = Splice(SAID, 900)
    assert not splice.reached(())
    assert not splice.reached(words("two"))
    assert splice.reached(words("two tickets please"))
    assert splice.reached(words("two tickets police thanks"))


def test_a_replay_starts_at_a_words_edge_shortly_before_the_end() -> None:
    assert replay_from(()) == 0
    assert replay_from(words("a", start_ms=100)) == 0
    said = words("a b c d e f g h i j", start_ms=5000)
    start = replay_from(said)
    assert any(start == word.start_ms - 250 for word in said)
    assert 1000 <= said[-1].start_ms - start <= 2000


def numbered(text: str, *, first: int = 0, length_ms: int = 250) -> tuple[SpokenWord, ...]:
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


def test_without_an_earlier_session_the_words_are_what_was_heard() -> None:
    assert merged(numbered("hi there"), (), NO_SPLICE, is_end=False) == numbered("hi there")


def test_what_was_settled_comes_first_and_what_is_ahead_last() -> None:
    known = numbered("a b c* d*")
    splice = Splice(known[:2], 300)
    assert texts(merged(numbered("b c", first=1), known, splice, is_end=False)) == "a b c d"
    assert texts(merged((), known, splice, is_end=False)) == "a b c d"
    assert texts(merged(numbered("b c", first=1), known, splice, is_end=True)) == "a b c"


def test_half_a_word_does_not_take_the_place_of_a_whole_one() -> None:
    known = numbered("a* bee*")
    half = (*numbered("a*"), *numbered("b*", first=1, length_ms=100))
    assert texts(merged(half, known, NO_SPLICE, is_end=False)) == "a bee"


def test_old_words_of_a_long_turn_count_as_final() -> None:
    long = numbered(" ".join(f"w{number}*" for number in range(30)))
    finals = [word.final for word in settled(long)]
    assert finals == sorted(finals, reverse=True)
    assert 0 < sum(finals) < 30
    assert settled(long[:5]) == long[:5]
    assert settled(()) == ()


def told(
    before: Resumption, heard: str, order: int = 0, *, first: int = 0, end: bool = True
) -> str:
    return " ".join(
        word.text for word in before.join(numbered(heard, first=first), order, is_end=end)
    )


def test_in_the_first_session_everything_is_new() -> None:
    before = Resumption()
    assert not before.awaited
    assert (before.point.said_until_ms, before.point.replay_from_ms) == (0, 0)
    assert told(before, "hi there") == "hi there"


def test_words_of_an_ended_turn_are_not_told_again() -> None:
    before = Resumption()
    before.end_turn(numbered("hi there"))
    assert before.point.said_until_ms == 550
    before.begin_session((), before.point.replay_from_ms)
    assert told(before, "hi there friend") == "friend"


def test_what_two_sessions_heard_at_once_is_told_by_the_first() -> None:
    before = Resumption()
    before.end_turn(numbered("hi there"))
    before.begin_session((), 500, 1100)
    rest = SpokenWord("ere", 510, 620, 0.9, final=True, speaker=None)
    (friend,) = numbered("friend", first=3)
    assert before.join((rest, friend), 0, is_end=True) == (friend,)


def test_a_word_that_may_have_been_cut_is_told_by_the_next_session() -> None:
    before = Resumption()
    before.begin_session(numbered("hi there friend"), 250, 1000)
    assert told(before, "there friends", first=1) == "hi there friends"


def test_behind_the_turn_that_came_to_the_new_the_same_words_are_new() -> None:
    before = Resumption()
    before.end_turn(numbered("no"))
    before.begin_session((), 0)
    assert told(before, "no", 0) == ""
    before.come_to(0)
    assert told(before, "no", 0) == ""
    before.come_to(1)
    assert told(before, "no", 1) == "no"


def test_an_open_turn_is_awaited_until_the_session_comes_to_it() -> None:
    before = Resumption()
    before.begin_session(numbered("hi there you*"), 0)
    assert before.awaited
    assert not before.take_up(numbered("hi*"))
    assert before.awaited
    assert before.take_up(numbered("hi there"))
    assert not before.awaited
    assert told(before, "hi there", end=False) == "hi there you"


def test_a_turn_that_was_taken_back_is_awaited_no_longer() -> None:
    before = Resumption()
    before.begin_session(numbered("hi* there*"), 0)
    before.drop_open()
    assert not before.awaited
    assert told(before, "good bye") == "good bye"


def test_a_turn_without_a_final_word_is_taken_up_by_any_new_word() -> None:
    before = Resumption()
    before.begin_session(numbered("uh*"), 0)
    assert not before.take_up(())
    assert before.take_up(numbered("uh*"))


def test_a_turn_that_ended_is_awaited_no_longer() -> None:
    before = Resumption()
    before.begin_session(numbered("hi"), 0)
    before.end_turn(numbered("hi"))
    assert not before.awaited


def test_a_turn_that_is_dropped_is_awaited_no_longer_and_was_not_said() -> None:
    before = Resumption()
    before.begin_session(numbered("hi"), 0)
    before.drop_open()
    assert not before.awaited
    assert before.point.said == ()


def test_what_is_told_of_a_turn_that_was_cut_is_only_what_is_new() -> None:
    before = Resumption()
    before.end_turn(numbered("hi the"))
    before.cut(3)
    before.come_to(3)
    assert told(before, "hi the end", 3) == "end"
    before.come_to(4)
    assert told(before, "hi the end", 4) == "hi the end"


def test_a_point_says_where_a_session_begins_and_what_is_known_by_then() -> None:
    before = Resumption()
    before.end_turn(numbered("hi"))
    before.begin_session(numbered("two tickets*", first=2), 400, 1200)
    assert before.point == ResumePoint(400, numbered("hi"), numbered("two tickets*", first=2), 1200)
    assert (before.point.said_until_ms, before.point.replay_from_ms) == (250, 0)
    assert "tickets" in repr(before.point)


def test_a_turn_that_ended_without_a_text_is_not_waited_for() -> None:
    resumption = Resumption()
    resumption.begin_session(SAID, 1000)
    assert resumption.awaited
    resumption.drop_open()
    assert not resumption.awaited
    assert resumption.point.open == ()
