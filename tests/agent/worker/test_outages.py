"""A provider is known to be down by what calls tell, and only as long as that is news."""

import pytest

from agent.call.reports import Outcome
from agent.worker.outages import KNOWN_SECONDS, SPAN_SECONDS, TRIES, Outages

BUSY, REFUSED, ANSWERED = Outcome.BUSY, Outcome.REFUSED, Outcome.ANSWERED


def after(*tries: tuple[float, Outcome]) -> Outages:
    outages = Outages()
    for at, outcome in tries:
        outages.note("llm", outcome, at)
    return outages


@pytest.mark.parametrize("outcome", [BUSY, REFUSED])
def test_tries_in_a_row_that_fail_over_some_seconds_are_an_outage(outcome: Outcome) -> None:
    outages = after((10, outcome), (11, outcome), (10 + SPAN_SECONDS, outcome))
    assert outages.down(14) == ("llm",)


def test_fewer_tries_or_a_shorter_time_is_a_hiccup() -> None:
    assert after(*[(10.0, BUSY)] * (TRIES - 1), (9 + SPAN_SECONDS, BUSY)).down(15) == ()
    assert after((0, BUSY), (30, BUSY)).down(30) == ()


@pytest.mark.parametrize("answer", [ANSWERED, Outcome.CONTENT, Outcome.EMPTY])
def test_an_answer_of_any_kind_ends_it(answer: Outcome) -> None:
    outages = after((0, BUSY), (1, BUSY), (9, BUSY), (10, answer))
    assert outages.down(10) == ()
    outages.note("llm", BUSY, 11)
    assert outages.down(11) == ()


def test_without_calls_the_knowledge_ends_and_tries_count_from_the_beginning() -> None:
    outages = after((0, BUSY), (1, BUSY), (9, BUSY))
    assert outages.down(9 + KNOWN_SECONDS) == ("llm",)
    later = 10 + KNOWN_SECONDS
    assert outages.down(later) == ()
    outages.note("llm", BUSY, later)
    assert outages.down(later) == ()


def test_each_provider_is_known_by_itself() -> None:
    outages = after((0, BUSY), (1, BUSY), (9, BUSY))
    for at in (0.0, 5.0, 9.0):
        outages.note("stt", BUSY, at)
        outages.note("tts", ANSWERED, at)
    assert outages.down(9) == ("stt", "llm")
