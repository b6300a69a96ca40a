"""When each word of the agent's was heard."""

import pytest

from agent.call.output.playout import FASTEST, JUST_SECONDS, SLOWEST, Playout, SpokenWord

TEXT = "Our opening hours are nine to five."


def speaking(text: str = TEXT, *, since: float = 100.0) -> Playout:
    playout = Playout()
    playout.begin(since)
    for letter in text:
        playout.add(letter)
    playout.sound(since)
    return playout


def word(playout: Playout, text: str, *, now: float) -> SpokenWord:
    return next(each for each in playout.spoken(now) if each.text == text)


def test_the_first_word_begins_with_the_first_sound() -> None:
    first = word(speaking(), "our", now=100)
    assert first.earliest_start == first.latest_start == 100


def test_a_later_word_was_heard_as_fast_as_voices_read() -> None:
    hours = word(speaking(), "hours", now=105)
    at = TEXT.index("hours")
    assert hours.earliest_start == pytest.approx(100 + at / FASTEST)
    assert hours.latest_end == pytest.approx(100 + (at + len("hours")) / SLOWEST)


def test_a_pause_moves_what_comes_after_it() -> None:
    playout = speaking()
    before = word(playout, "five", now=100)
    playout.fall_silent(100.5)
    playout.sound(103.5)
    after = word(playout, "five", now=104)
    assert after.earliest_start == pytest.approx(before.earliest_start + 3)
    assert word(playout, "our", now=104).latest_start == 100


def test_what_has_made_no_sound_has_not_been_heard() -> None:
    playout = Playout()
    playout.begin(0)
    playout.add(TEXT)
    assert playout.first_sound_at == float("inf")
    assert playout.said(10) == ()
    assert {each.earliest_start for each in playout.spoken(10)} == {float("inf")}


def test_only_what_was_said_within_seconds_was_just_said() -> None:
    playout = speaking("one " * 100)
    assert playout.said(100) == ("one",)
    early = len(playout.said(102))
    assert 4 < early < 12
    assert len(playout.said(100 + 400 / SLOWEST + JUST_SECONDS)) < 60
    assert playout.said(1000) == ()


def test_another_text_is_read_from_its_beginning() -> None:
    playout = speaking("Let me see. " * 50)
    playout.begin(130)
    playout.add("Hello.")
    assert playout.said(130.1) == ("hello",)
    assert playout.first_sound_at == 130


def test_letters_of_scripts_without_blanks_have_times_of_their_own() -> None:
    first, *_, last = speaking("您好我是小明").spoken(101)
    assert first.earliest_start == 100
    assert last.earliest_start == pytest.approx(100 + 15 / FASTEST)


def test_silence_before_any_sound_ends_nothing() -> None:
    playout = Playout()
    playout.begin(0)
    before = playout.ended_at
    playout.fall_silent(1)
    assert playout.ended_at == before
