"""Codes, times and failures as words."""

from typing import get_args

import pytest

from agent.call.endings import Ending
from agent.call.models.errors import Kind
from agent.records.schema import Attempt, EndReason
from agent.records.words import (
    END_REASONS,
    ENDINGS,
    GOOD_ENDINGS,
    attempts_in_words,
    duration,
    error_in_words,
    moment,
)
from stt_assemblyai.errors import AssemblyAIError, TransientError


def test_every_ending_of_a_call_has_its_words() -> None:
    assert {ending.code for ending in Ending} == ENDINGS.keys()
    assert ENDINGS.keys() >= GOOD_ENDINGS
    assert not GOOD_ENDINGS & {ending.code for ending in Ending if ending.needs_apology}


def test_every_reason_for_a_turns_end_has_its_words() -> None:
    assert END_REASONS.keys() == set(get_args(EndReason))


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (80, "80 ms"),
        (645, "0.65 s"),
        (2625, "2.63 s"),
        (23_040, "23.0 s"),
        (60_000, "1 min"),
        (65_000, "1 min 5 s"),
    ],
)
def test_durations_are_read_at_a_glance(ms: int, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(("ms", "words"), [(0, "0:00"), (41_900, "0:41"), (3_723_000, "1:02:03")])
def test_moments_count_from_the_calls_beginning(ms: int, words: str) -> None:
    assert moment(ms) == words


def test_each_class_of_a_models_failure_has_its_words() -> None:
    classes = {"timeout", "rate_limit", "unavailable", "broken"}
    classes |= {kind.name.lower() for kind in Kind if kind is not Kind.BUSY}
    assert not [each for each in classes if "_" in error_in_words(each)]
    assert error_in_words("content") != "content"


def test_each_error_of_the_speech_module_has_its_words() -> None:
    kinds = [AssemblyAIError.__subclasses__(), TransientError.__subclasses__()]
    for kind in (each for some in kinds for each in some):
        assert error_in_words(kind.__name__) != kind.__name__


def test_known_errors_have_words_and_others_keep_their_names() -> None:
    assert error_in_words("rate_limit") == "rate limit"
    assert error_in_words("some_other_error") == "some other error"


def attempt(error: str | None, took_for_ms: int = 200) -> Attempt:
    return Attempt(provider="host model", took_for_ms=took_for_ms, error=error)


def test_attempts_are_told_in_order_and_a_single_success_is_not_worth_a_word() -> None:
    assert attempts_in_words([attempt(None)]) == ""
    other = Attempt(provider="other", took_for_ms=400)
    told = attempts_in_words([attempt("timeout", 4000), other])
    assert told == "no answer in time at host model after 4.00 s, then other answered in 0.40 s"


def test_attempts_that_failed_alike_are_counted_and_pauses_between_them_are_told() -> None:
    attempts = [attempt("rate_limit", 20), attempt("rate_limit", 10), attempt(None, 30)]
    told = attempts_in_words(attempts, whole_ms=4400)
    assert (
        told == "rate limit at host model 2 times, then it answered in 30 ms, with pauses of 4.34 s"
    )
