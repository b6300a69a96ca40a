"""Whom to ask next, and when."""

from hypothesis import given
from hypothesis import strategies as st

from agent.call.models.back_off import Patience, Schedule
from agent.call.models.errors import Failure, Kind

BUSY = Failure(Kind.BUSY, "down")
REFUSED = Failure(Kind.REFUSED, "key")
failures = st.builds(
    Failure,
    st.sampled_from(Kind),
    st.just(""),
    st.sampled_from([0.0, 0.0, 1.0, 30.0, 1e9]),
)


@given(
    st.integers(1, 3),
    st.floats(0.1, 30),
    st.floats(0, 60),
    st.lists(st.tuples(failures, st.floats(0, 1), st.floats(0, 7)), max_size=200),
)
def test_tries_are_few_in_order_of_time_and_within_the_patience(
    count: int, attempt: float, whole: float, story: list[tuple[Failure, float, float]]
) -> None:
    schedule = Schedule(range(count), Patience(attempt, whole), 100.0)
    now, tries, left_alone = 100.0, 0, dict.fromkeys(range(count), 100.0)
    for failure, jitter, lasted in story:
        chosen = schedule.next_try(now, jitter)
        if chosen is None:
            break
        assert now <= chosen.at_seconds < schedule.deadline
        beyond = left_alone[chosen.provider] >= schedule.deadline - attempt
        assert beyond or chosen.at_seconds >= left_alone[chosen.provider]
        now = min(chosen.at_seconds + lasted, schedule.deadline)
        schedule.fail(chosen.provider, failure, now)
        left_alone[chosen.provider] = now + failure.retry_after_seconds
        tries += 1
    assert tries <= count * (10 + max(whole, attempt))


def test_a_fallback_is_asked_at_once_and_both_in_turn_then() -> None:
    schedule = Schedule([0, 1], Patience(6, 20), 0.0)
    asked = []
    now = 0.0
    for _ in range(4):
        chosen = schedule.next_try(now)
        assert chosen
        now = chosen.at_seconds
        asked.append((chosen.provider, now))
        schedule.fail(chosen.provider, BUSY, now)
    assert asked == [(0, 0.0), (1, 0.0), (0, 0.25), (1, 0.25)]


def test_who_refuses_is_not_asked_again() -> None:
    schedule = Schedule([0, 1], Patience(6, 20), 0.0)
    schedule.fail(0, REFUSED, 0.0)
    schedule.fail(1, BUSY, 0.0)
    assert [schedule.next_try(0.5).provider for _ in range(3)] == [1, 1, 1]  # type: ignore[union-attr]
    schedule.fail(1, REFUSED, 0.5)
    assert schedule.next_try(0.5) is None


def test_a_loop_that_wakes_a_little_early_does_not_repeat_the_last_try() -> None:
    schedule = Schedule([0], Patience(6, 20), 0.0)
    schedule.fail(0, Failure(Kind.BUSY, "down", retry_after_seconds=30), 1.0)
    last = schedule.next_try(1.0)
    assert last
    woken = last.at_seconds - 1e-6
    schedule.fail(0, BUSY, woken)
    assert schedule.next_try(woken) is None


def test_the_last_failure_of_each_that_failed_is_known() -> None:
    schedule = Schedule([0, 1], Patience(6, 20), 0.0)
    assert schedule.failures == {}
    schedule.fail(0, BUSY, 1.0)
    schedule.fail(0, REFUSED, 2.0)
    assert schedule.failures == {0: REFUSED}


def test_one_whose_answer_is_empty_is_asked_once_more() -> None:
    schedule, empty = Schedule([0], Patience(6, 20), 0.0), Failure(Kind.EMPTY, "nothing")
    schedule.fail(0, empty, 1.0)
    assert schedule.next_try(2.0)
    schedule.fail(0, empty, 3.0)
    assert schedule.next_try(4.0) is None
