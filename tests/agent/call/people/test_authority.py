"""Whom in the room the agent obeys."""

import logging
from collections.abc import Callable

import pytest
from livekit import rtc

from agent.call.people.authority import MOST_A_MINUTE, Authority, Decision, Role, guarded

HOSTILE_IDENTITIES = {
    "somebody else": "mallory",
    "nobody at all": "",
    "the caller in capitals": "CALLER",
    "the caller with a blank": "caller ",
    "the caller and more": "caller-2",
    "an operator's name inside": "x-ops-anna",
    "an operator without his ending": "boss2",
    "a star": "*",
    "the pattern itself, one short": "ops",
    "a forged line": "mallory\ncaller",
    "a direction mark": "caller\u202e",
    "a megabyte": "x" * 1_000_000,
}


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def authority(clock: Callable[[], float] = lambda: 0.0) -> Authority:
    return Authority("caller", ("ops-*", "boss"), clock=clock)


@pytest.mark.parametrize("identity", HOSTILE_IDENTITIES.values(), ids=HOSTILE_IDENTITIES.keys())
def test_a_stranger_may_do_nothing(identity: str) -> None:
    assert authority().roles(identity) == frozenset()
    assert authority().decide(identity, *Role) is Decision.STRANGER


def test_the_caller_may_do_what_is_the_callers_and_operators_what_is_theirs() -> None:
    decide = authority().decide
    assert decide("caller", Role.CALLER) is Decision.GRANTED
    assert decide("caller", Role.OPERATOR) is Decision.STRANGER
    for operator in ("ops-anna", "boss"):
        assert decide(operator, Role.OPERATOR) is Decision.GRANTED
        assert decide(operator, Role.CALLER) is Decision.STRANGER


def test_an_operator_who_calls_is_both() -> None:
    assert Authority("ops-anna", ("ops-*",)).roles("ops-anna") == frozenset(Role)


def test_who_asks_too_often_waits_until_a_minute_has_passed() -> None:
    clock = Clock()
    judged = authority(clock)
    granted = [judged.decide("caller", Role.CALLER) for _ in range(MOST_A_MINUTE)]
    assert set(granted) == {Decision.GRANTED}
    assert judged.decide("caller", Role.CALLER) is Decision.TOO_OFTEN
    assert judged.decide("boss", Role.OPERATOR) is Decision.GRANTED
    clock.seconds = 60.0
    assert judged.decide("caller", Role.CALLER) is Decision.GRANTED


def test_a_crowd_of_strangers_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    judged = authority()
    with caplog.at_level(logging.WARNING):
        for number in range(1000):
            judged.decide(f"mallory-{number % 100}", Role.CALLER)
    messages = [line.getMessage() for line in caplog.records]
    assert set(messages) == {"refused a participant's request"}
    assert len(messages) == 20


async def shout(payload: str) -> str:
    if not payload:
        raise ValueError("say what to shout")
    return payload.upper()


def called_by(identity: str, payload: str = "hello") -> rtc.RpcInvocationData:
    return rtc.RpcInvocationData("1", identity, payload, 10.0, "shout")


async def test_a_method_answers_those_who_may_call_it() -> None:
    assert await guarded(shout, authority(), Role.OPERATOR)(called_by("boss")) == "HELLO"


@pytest.mark.parametrize("identity", ["mallory", "caller", ""])
async def test_a_method_answers_everybody_else_with_an_error(identity: str) -> None:
    with pytest.raises(rtc.RpcError, match="you may not do this") as raised:
        await guarded(shout, authority(), Role.OPERATOR)(called_by(identity))
    assert raised.value.code == 403


async def test_a_method_says_what_is_wrong_with_its_payload() -> None:
    with pytest.raises(rtc.RpcError, match="say what to shout") as raised:
        await guarded(shout, authority(), Role.OPERATOR)(called_by("boss", ""))
    assert raised.value.code == 400


async def test_a_method_that_is_called_without_pause_says_so() -> None:
    method = guarded(shout, authority(), Role.CALLER)
    for _ in range(MOST_A_MINUTE):
        await method(called_by("caller"))
    with pytest.raises(rtc.RpcError, match="too often") as raised:
        await method(called_by("caller"))
    assert raised.value.code == 429
