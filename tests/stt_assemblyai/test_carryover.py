"""Each word is told once, over replays and forced ends, and an open turn goes on."""

from stt_assemblyai.carryover import Carryover
from stt_assemblyai.events import SpokenWord


def words(text: str, first: int = 0) -> tuple[SpokenWord, ...]:
    """Words of 250 ms that begin every 300 ms; a star marks one that is not final."""
    return tuple(
        SpokenWord(
            word.removesuffix("*"),
            300 * number,
            300 * number + 250,
            0.9,
            final=not word.endswith("*"),
            speaker=None,
        )
        for number, word in enumerate(text.split(), first)
    )


def told(before: Carryover, heard: str, order: int = 0, *, first: int = 0, end: bool = True) -> str:
    return " ".join(word.text for word in before.join(words(heard, first), order, is_end=end))


def test_in_the_first_session_everything_is_new() -> None:
    before = Carryover()
    assert not before.awaited
    assert (before.said_until_ms, before.replay_from_ms) == (0, 0)
    assert told(before, "hi there") == "hi there"


def test_words_of_an_ended_turn_are_not_told_again() -> None:
    before = Carryover()
    before.end_turn(words("hi there"))
    assert before.said_until_ms == 550
    before.begin_session((), before.replay_from_ms)
    assert told(before, "hi there friend") == "friend"


def test_what_two_sessions_heard_at_once_is_told_by_the_first() -> None:
    before = Carryover()
    before.end_turn(words("hi there"))
    before.begin_session((), 500, 1100)
    rest = SpokenWord("ere", 510, 620, 0.9, final=True, speaker=None)
    (friend,) = words("friend", first=3)
    assert before.join((rest, friend), 0, is_end=True) == (friend,)


def test_a_word_that_may_have_been_cut_is_told_by_the_next_session() -> None:
    before = Carryover()
    before.begin_session(words("hi there friend"), 250, 1000)
    assert told(before, "there friends", first=1) == "hi there friends"


def test_behind_the_turn_that_came_to_the_new_the_same_words_are_new() -> None:
    before = Carryover()
    before.end_turn(words("no"))
    before.begin_session((), 0)
    assert told(before, "no", 0) == ""
    before.come_to(0)
    assert told(before, "no", 0) == ""
    before.come_to(1)
    assert told(before, "no", 1) == "no"


def test_an_open_turn_is_awaited_until_the_session_comes_to_it() -> None:
    before = Carryover()
    before.begin_session(words("hi there you*"), 0)
    assert before.awaited
    assert not before.take_up(words("hi*"))
    assert before.awaited
    assert before.take_up(words("hi there"))
    assert not before.awaited
    assert told(before, "hi there", end=False) == "hi there you"


def test_a_turn_without_a_final_word_is_taken_up_by_any_new_word() -> None:
    before = Carryover()
    before.begin_session(words("uh*"), 0)
    assert not before.take_up(())
    assert before.take_up(words("uh*"))


def test_a_turn_that_ended_is_awaited_no_longer() -> None:
    before = Carryover()
    before.begin_session(words("hi"), 0)
    before.end_turn(words("hi"))
    assert not before.awaited


def test_what_is_told_of_a_turn_that_was_cut_is_only_what_is_new() -> None:
    before = Carryover()
    before.end_turn(words("hi the"))
    before.cut(3)
    before.come_to(3)
    assert told(before, "hi the end", 3) == "end"
    before.come_to(4)
    assert told(before, "hi the end", 4) == "hi the end"
