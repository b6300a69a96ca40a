"""What a worker looks after, by what Redis has said about the lease, and when."""

import pytest

from agent.fleet.duty import AWAY_SECONDS, BEAT_SECONDS, LEASE_SECONDS, Duty, Standing

JITTER_SECONDS = 0.5


@pytest.fixture
def standing() -> Standing:
    return Standing(100.0, JITTER_SECONDS)


def test_another_has_the_lease_within_two_seconds_of_its_holders_death() -> None:
    assert LEASE_SECONDS + BEAT_SECONDS < 2.0


def test_who_has_just_begun_leaves_it_to_the_others(standing: Standing) -> None:
    assert standing.duty(100.0) is Duty.FOLLOWS


def test_who_holds_the_lease_leads_for_as_long_as_it_certainly_lasts(standing: Standing) -> None:
    standing.answered(held=True, asked_at=101.0)
    assert standing.duty(101.0 + LEASE_SECONDS - 0.01) is Duty.LEADS
    standing.answered(held=True, asked_at=102.0)
    assert standing.duty(102.0 + LEASE_SECONDS - 0.01) is Duty.LEADS


def test_who_led_goes_on_by_itself_without_a_pause_when_redis_does_not_answer(
    standing: Standing,
) -> None:
    standing.answered(held=True, asked_at=101.0)
    assert standing.duty(101.0 + LEASE_SECONDS) is Duty.ALONE


def test_who_has_lost_the_lease_follows(standing: Standing) -> None:
    standing.answered(held=True, asked_at=101.0)
    standing.answered(held=False, asked_at=104.0)
    assert standing.duty(104.0) is Duty.FOLLOWS


@pytest.mark.parametrize("has_answered", [True, False])
def test_who_follows_goes_on_by_itself_when_redis_has_been_away_for_a_while(
    standing: Standing, has_answered: bool
) -> None:
    away_at = 100.0
    if has_answered:
        away_at = 110.0
        standing.answered(held=False, asked_at=away_at)
    assert standing.duty(away_at + AWAY_SECONDS + JITTER_SECONDS - 0.01) is Duty.FOLLOWS
    assert standing.duty(away_at + AWAY_SECONDS + JITTER_SECONDS) is Duty.ALONE


@pytest.mark.parametrize(("held", "duty"), [(True, Duty.LEADS), (False, Duty.FOLLOWS)])
def test_when_redis_is_back_one_leads_and_the_others_follow(
    standing: Standing, held: bool, duty: Duty
) -> None:
    assert standing.duty(200.0) is Duty.ALONE
    standing.answered(held=held, asked_at=200.0)
    assert standing.duty(200.0) is duty
