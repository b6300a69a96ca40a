"""Codes, times and failures as words."""

import pytest

from agent.call.endings import Ending
from agent.records.schema import Attempt
from agent.records.words import (
    ENDINGS,
    GOOD_ENDINGS,
    attempts_in_words,
    duration,
    error_in_words,
    moment,
)


def test_every_ending_of_a_call_has_its_words() -> None:
    assert {ending.code for ending in Ending} == ENDINGS.keys()
    assert ENDINGS.keys() >= GOOD_ENDINGS
    assert not GOOD_ENDINGS & {ending.code for ending in Ending if ending.needs_apology}


@pytest.mark.parametrize(
    ("ms", "words"),
    [(80, "80 ms"), (640, "0.6 s"), (2620, "2.6 s"), (60_000, "1 min"), (65_000, "1 min 5 s")],
)
def test_durations_are_read_at_a_glance(ms: int, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(("ms", "words"), [(0, "0:00"), (41_900, "0:41"), (3_723_000, "1:02:03")])
def test_moments_count_from_the_calls_beginning(ms: int, words: str) -> None:
    assert moment(ms) == words


def test_known_errors_have_words_and_others_keep_their_names() -> None:
    assert error_in_words("rate_limit") == "rate limit"
    assert error_in_words("some_other_error") == "some other error"


def attempt(error: str | None) -> Attempt:
    return Attempt(provider="host model", took_for_ms=200, error=error)


def test_attempts_are_told_in_order_and_a_single_success_is_not_worth_a_word() -> None:
    assert attempts_in_words([attempt(None)]) == ""
    told = attempts_in_words([attempt("timeout"), attempt(None)])
    assert told == "no answer in time at host model after 0.2 s, then host model answered in 0.2 s"


def test_many_attempts_are_counted() -> None:
    told = attempts_in_words([attempt("timeout")] * 6 + [attempt(None)])
    assert told.count("no answer in time") == 2
    assert "4 more failures, then host model answered" in told
