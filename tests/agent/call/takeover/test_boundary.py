"""When a call may change hands, and where the cut lies."""

from dataclasses import replace

import pytest

from agent.call.takeover.boundary import (
    AFTER_WORDS_SECONDS,
    QUIET_SECONDS,
    REMEMBERED_SECONDS,
    REPORTED_SECONDS,
    TAIL_SECONDS,
    Facts,
    Voice,
    cut_of,
    is_boundary,
)

CALM = Facts(agent_listens=True, caller_is_heard=False)
BUSY = {
    "the agent speaks": replace(CALM, agent_listens=False),
    "the caller speaks": replace(CALM, caller_is_heard=True),
    "a text has come": replace(CALM, is_typing=True),
    "nothing is heard": replace(CALM, is_deaf=True),
    "the caller is asked": replace(CALM, is_asking=True),
    "another agent answers": replace(CALM, is_restorable=False),
}


def voice(*spans: tuple[float, float], since: float = 0.0) -> Voice:
    """A voice that was heard in these spans."""
    heard = Voice(since)
    for begin, end in spans:
        at = begin
        while at <= end + 1e-9:
            heard.heard(at)
            at += 0.03
    return heard


def test_when_nothing_is_under_way_and_nobody_speaks_the_call_may_change_hands() -> None:
    assert is_boundary(CALM, QUIET_SECONDS)
    assert not is_boundary(CALM, QUIET_SECONDS - 0.01)


@pytest.mark.parametrize("facts", BUSY.values(), ids=BUSY.keys())
def test_whatever_is_under_way_keeps_the_call(facts: Facts) -> None:
    assert not is_boundary(facts, 10.0)


def test_quiet_is_counted_from_the_last_sound_of_a_voice() -> None:
    assert voice((1, 2)).quiet_seconds(3.0) == pytest.approx(1.0, abs=0.04)
    assert Voice(1.0).quiet_seconds(3.0) == 2.0


def test_a_voice_with_short_breaks_is_one() -> None:
    pauses = list(voice((1, 2), (2.2, 3), (4, 5)).pauses(9.0))
    expected = [(0, 1), (3, 4), (5, 9)]
    assert pauses == [pytest.approx(each, abs=0.04) for each in expected]


def test_a_voice_of_long_ago_is_forgotten() -> None:
    heard = voice((1, 2), (3 + REMEMBERED_SECONDS, 4 + REMEMBERED_SECONDS))
    assert next(heard.pauses(40.0))[0] == pytest.approx(2, abs=0.04)


def test_the_cut_is_soon_after_the_last_words() -> None:
    cut = cut_of(voice((1, 2)), words_until=2.0, now=4.0)
    assert 2.1 < cut < 2.1 + AFTER_WORDS_SECONDS


def test_a_voice_that_is_not_in_words_yet_is_behind_the_cut() -> None:
    """The caller has spoken again, a moment ago, and speech recognition has not said so."""
    cut = cut_of(voice((1, 2), (2.6, 3.0)), words_until=2.0, now=3.3)
    assert 2.1 < cut < 2.6


def test_the_end_of_a_voice_after_its_last_word_is_no_new_voice() -> None:
    cut = cut_of(voice((1, 2 + TAIL_SECONDS - 0.05)), words_until=2.0, now=3.0)
    assert 2.15 < cut < 3.0


def test_what_was_said_long_ago_has_become_words_if_it_were_any() -> None:
    """A cough after the last words, ten seconds ago, is not heard again."""
    heard = voice((1, 2), (4, 4.3))
    assert cut_of(heard, words_until=2.0, now=14.0) >= 14.0 - REPORTED_SECONDS


def test_without_any_words_the_cut_is_a_moment_ago() -> None:
    cut = cut_of(Voice(0.0), words_until=None, now=10.0)
    assert 10 - REPORTED_SECONDS <= cut <= 10.0


def test_without_any_pause_nothing_before_now_is_given() -> None:
    assert cut_of(voice((7.5, 10)), words_until=9.9, now=10.0) == 10.0


def test_the_cut_is_never_before_words_that_were_dealt_with() -> None:
    for gap in range(1, 40):
        now = 5.0 + gap / 10
        assert cut_of(voice((1, 5)), words_until=5.0, now=now) >= 5.0
