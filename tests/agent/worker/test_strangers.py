"""Which agents are asked whether they live, and when."""

from agent.fleet.presence import Agent
from agent.worker.strangers import LIVENESS_SECONDS, QUESTIONS_PER_SECOND, Strangers

EMMA, OTTO = Agent(room="room", identity="emma"), Agent(room="room", identity="otto")


def exactly(seconds: float) -> float:
    return seconds


def strangers(*agents: Agent, at_once: bool = True) -> Strangers:
    made = Strangers(exactly)
    made.seen("room", agents, 0.0, at_once=at_once)
    return made


def test_those_in_a_room_that_is_seen_first_are_asked_at_once_and_then_now_and_then() -> None:
    made = strangers(EMMA)
    assert made.due(0.0) == [EMMA]
    assert made.due(100.0) == []  # the question is not over
    made.answered(EMMA, 3.0)
    assert made.due(3.0 + LIVENESS_SECONDS - 0.01) == []
    assert made.due(3.0 + LIVENESS_SECONDS) == [EMMA]


def test_one_that_comes_later_may_still_be_connecting() -> None:
    made = strangers(EMMA, at_once=False)
    assert made.due(LIVENESS_SECONDS - 0.01) == []
    assert made.due(LIVENESS_SECONDS) == [EMMA]


def test_one_of_which_nobody_says_any_longer_that_it_lives_is_asked_at_once() -> None:
    made = Strangers(exactly)
    made.known([], [EMMA])
    made.seen("room", [EMMA, OTTO], 0.0, at_once=False)
    assert made.due(0.0) == [EMMA]
    assert made.is_lost(EMMA)
    made.answered(EMMA, 0.1)
    assert not made.is_lost(EMMA)


def test_one_of_which_somebody_says_that_it_lives_is_not_asked() -> None:
    made = strangers(EMMA, OTTO)
    made.known([EMMA], [])
    assert made.due(0.0) == [OTTO]
    made.known([OTTO], [])
    assert not made


def test_who_is_seen_in_a_room_replaces_who_was_there() -> None:
    made = strangers(EMMA)
    made.seen("room", [OTTO], 1.0, at_once=True)
    made.seen("another", [], 1.0, at_once=True)
    assert made.due(1.0) == [OTTO]


def test_who_is_seen_again_is_asked_when_that_was_due() -> None:
    made = strangers(EMMA, at_once=False)
    made.seen("room", [EMMA], 1.0, at_once=True)
    assert made.due(1.0) == []
    assert made.due(LIVENESS_SECONDS) == [EMMA]


def test_who_is_gone_with_a_room_is_forgotten() -> None:
    made = strangers(EMMA)
    made.known([], [OTTO])
    assert made
    made.keep({"another"})
    assert not made
    assert not made.is_lost(OTTO)
    made.answered(EMMA, 1.0)
    assert not made


def test_of_many_each_is_asked_less_often() -> None:
    many = [Agent(room="room", identity=str(number)) for number in range(10 * QUESTIONS_PER_SECOND)]
    made = strangers(*many)
    assert len(made.due(0.0)) == len(many)
    for each in many:
        made.answered(each, 0.0)
    assert made.due(9.9) == []
    assert len(made.due(10.0)) == len(many)
