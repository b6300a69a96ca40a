"""What may be retried is, with growing pauses and for as long as patience lasts."""

import itertools

import pytest

from stt_assemblyai.errors import (
    AuthenticationError,
    NetworkError,
    QuotaError,
    RenewalError,
    TokenExpiredError,
    TransientError,
    classify_http,
)
from stt_assemblyai.retries import Patience, Retries

LOST = NetworkError("The connection was lost")


def retries(draw: float = 1.0, **patience: float) -> Retries:
    return Retries(Patience(**patience), lambda: draw)


def test_what_cannot_be_mended_is_not_tried_again() -> None:
    assert retries().failed(AuthenticationError("No"), 0.0) is None


def test_where_a_session_has_been_an_answer_that_is_none_passes() -> None:
    pauses, answer = retries(total_seconds=10, first_wait_seconds=1), classify_http(404)
    assert pauses.failed(answer, 0.0) is None
    pauses.lived(1.0, useful=True)
    assert pauses.failed(answer, 0.0) == 1
    assert pauses.failed(answer, 9.0) is None
    assert pauses.failed(classify_http(401), 0.0) is None


def test_pauses_double_up_to_a_limit() -> None:
    pauses = retries(first_wait_seconds=0.25, longest_wait_seconds=2)
    assert [pauses.failed(LOST, 0.0) for _ in range(6)] == [0.25, 0.5, 1, 2, 2, 2]
    assert pauses.failures == 6


def test_pauses_are_spread_over_their_upper_half() -> None:
    assert retries(draw=0.0, first_wait_seconds=1).failed(LOST, 0.0) == 0.5
    assert retries(draw=0.5, first_wait_seconds=1).failed(LOST, 0.0) == 0.75


def test_patience_ends_where_the_next_attempt_would_be_too_late() -> None:
    pauses = retries(total_seconds=10, first_wait_seconds=1)
    assert pauses.failed(LOST, 100.0) == 1
    assert pauses.failed(LOST, 108.0) == 2
    assert pauses.failed(LOST, 108.1) is None


def test_a_session_that_ended_when_it_was_to_ends_the_outage() -> None:
    pauses = retries(total_seconds=180)
    pauses.failed(LOST, 0.0)
    pauses.lived(3.0, useful=False, proven=True)
    assert (pauses.failures, pauses.since) == (0, None)
    assert pauses.failed(LOST, 900.0) == 0.25


def test_a_session_that_worked_makes_the_next_failure_a_new_one() -> None:
    pauses = retries(total_seconds=10, proven_after_seconds=30)
    pauses.failed(LOST, 0.0)
    pauses.lived(29.0, useful=False)
    assert pauses.failed(LOST, 29.0) is None
    pauses.lived(30.0, useful=False)
    assert pauses.failed(LOST, 60.0) == 0.25
    pauses.lived(3.0, useful=True)
    assert pauses.failed(LOST, 63.0) == 0.25


@pytest.mark.parametrize("error", [LOST, RenewalError("The service ended the session")])
def test_sessions_that_are_soon_over_again_and_again_are_opened_further_apart(
    error: TransientError | RenewalError,
) -> None:
    pauses, now, opened_at = retries(), 0.0, [0.0]
    while now < 60:
        pauses.lived(1.0, useful=True)
        wait = pauses.failed(error, now + 1)
        assert wait is not None
        now += 1 + wait
        opened_at.append(now)
    apart = [later - sooner for sooner, later in itertools.pairwise(opened_at)]
    assert apart == sorted(apart)
    assert apart[-1] == 8
    assert len(opened_at) <= 12
    pauses.lived(30.0, useful=True)
    wait = pauses.failed(error, now)
    assert wait is not None
    assert wait <= 0.25


@pytest.mark.parametrize(("draw", "wait"), [(0.0, 12.25), (1.0, 24.25)])
def test_a_rate_limit_is_waited_out_past_the_stated_time(draw: float, wait: float) -> None:
    limited = QuotaError("Too many sessions", retry_after_seconds=12)
    assert retries(draw=draw).failed(limited, 0.0) == wait


def test_a_session_that_expired_is_renewed_at_once_but_not_for_ever() -> None:
    pauses = retries()
    expired = RenewalError("The session reached its longest duration")
    assert pauses.failed(expired, 0.0) == 0
    assert pauses.failed(expired, 0.0) == 0.5


def test_a_thousand_failures_do_not_overflow() -> None:
    pauses = retries(total_seconds=1e9)
    for _ in range(2000):
        assert pauses.failed(TransientError("No"), 0.0) is not None


def test_a_token_that_expired_is_renewed_once_where_that_is_possible() -> None:
    expired = TokenExpiredError("The temporary token has expired")
    assert retries().failed(expired, 0.0) is None
    renewing = Retries(Patience(renews_tokens=True), lambda: 1.0)
    assert renewing.failed(expired, 0.0) == 0.25
    assert renewing.failed(expired, 1.0) is None


def test_a_stream_made_anew_after_patience_was_worn_out_has_one_attempt() -> None:
    first = Retries(Patience(total_seconds=60), lambda: 0.0)
    first.failed(NetworkError("refused"), now=100.0)
    assert first.since == 100.0
    anew = Retries(Patience(total_seconds=60), lambda: 0.0, first.since)
    assert anew.failed(NetworkError("refused"), now=101.0) is None
    anew.lived(1.0, useful=True)
    assert anew.failed(NetworkError("refused"), now=162.0) is not None
