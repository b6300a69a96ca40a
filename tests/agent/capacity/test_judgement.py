"""How many calls a machine can hold, from what was measured."""

from dataclasses import replace

import pytest

from agent.capacity.judgement import (
    IN_A_ROOM,
    MARGIN,
    SLOWER,
    Advice,
    Limits,
    Step,
    advise,
    cores_per_call,
    fault,
    next_level,
)

LIMITS = Limits(cores=2.0, lag=0.06, cpu=0.95)
FIRST = Step(2, lag=0.001, worst_lag=0.01, reply=0.8, slow_reply=0.9, cores=0.2, machine=0.1)
MANY = 1000


def step(calls: int, **changed: float) -> Step:
    return replace(FIRST, **{"calls": calls, "cores": 0.1 * calls, **changed})  # type: ignore[arg-type]


def test_a_call_takes_what_it_takes_where_most_of_them_run() -> None:
    assert cores_per_call([FIRST, replace(FIRST, calls=10, cores=0.8)]) == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"lag": 0.07}, "event loops ran 70 ms late"),
        ({"cores": 1.92}, "the calls used 1.9 cores"),
        ({"slow_reply": 0.9 * SLOWER + 0.01}, "replies took 1.36 s"),
    ],
)
def test_too_many_calls_show_by_lag_cpu_or_replies(changed: dict[str, float], why: str) -> None:
    assert fault(replace(FIRST, calls=9, **changed), FIRST, LIMITS) == why


def test_the_second_step_tries_half_of_what_the_cpu_allows() -> None:
    assert next_level([step(2)], LIMITS) == 9  # of 1.9 cores at 0.1 a call
    assert next_level([step(30, cores=1.0)], LIMITS) == 31


def test_later_steps_go_on_until_one_fails() -> None:
    assert next_level([step(2), step(9)], LIMITS) == 13
    assert next_level([step(1), step(2)], LIMITS) == 3


def test_after_a_failure_the_middle_is_tried_until_it_is_close() -> None:
    steps = [step(2), step(9), step(20, lag=0.2)]
    assert next_level(steps, LIMITS) == 14
    assert next_level([*steps, step(14, lag=0.2)], LIMITS) == 11
    assert next_level([*steps, step(14), step(17, lag=0.2), step(15)], LIMITS) is None
    assert next_level([step(2, lag=0.2)], LIMITS) == 1
    assert next_level([step(1, lag=0.2)], LIMITS) is None


def test_the_last_step_that_went_well_decides_with_room_for_webrtc_and_for_starts() -> None:
    steps = [step(2), step(11), step(13), step(15, lag=0.2)]
    expected = int(13 / IN_A_ROOM * (1 - MARGIN))
    assert advise(steps, LIMITS, memory_calls=MANY) == Advice(
        expected, 13, "event loops ran 200 ms late"
    )


def test_without_a_fault_nothing_has_limited_it() -> None:
    assert advise([step(2), step(11)], LIMITS, memory_calls=MANY).limited_by == ""


def test_the_memory_may_hold_fewer() -> None:
    found = advise([step(2), step(11)], LIMITS, memory_calls=1)
    assert found == Advice(1, 11, "the memory holds no more")


def test_a_machine_that_fails_at_once_holds_none_and_a_small_one_holds_one() -> None:
    assert advise([step(2, lag=0.2)], LIMITS, memory_calls=MANY).max_calls == 0
    assert advise([step(1), step(2, lag=0.2)], LIMITS, memory_calls=MANY).max_calls == 1
