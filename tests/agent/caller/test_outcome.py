"""How a call went is one exit code, and each code has its own meaning."""

import numpy as np
import pytest

from agent.caller.caller import Reply
from agent.caller.conversation import Turn
from agent.caller.microphone import Spoken
from agent.caller.outcome import MEANINGS, Call, Exit, Expected, Greeting, judge, late_ms, unsaid
from agent.caller.utterance import Utterance


def turn(answer: str = "Seven plus five is 12.", latency_ms: float | None = 900) -> Turn:
    reply = None if latency_ms is None else Reply(3.0, 4.0, latency_ms)
    said = Utterance("", np.zeros(1, np.int16), "a.wav")
    return Turn(said, Spoken(1.0, 2.0), reply, "", answer if reply else "")


def call(*turns: Turn, greeting: str = "Hello.", agent: str | None = "agent-1") -> Call:
    return Call("room", agent, Greeting(greeting, 1.0) if greeting else None, list(turns))


NOBODY = call(greeting="", agent=None)


@pytest.mark.parametrize(
    ("held", "expected", "code"),
    [
        (call(turn()), Expected(), Exit.HEARD),
        (call(turn(), greeting=""), Expected(), Exit.HEARD),
        (call(), Expected(("hello",)), Exit.HEARD),
        (call(turn()), Expected(("twelve", "SEVEN plus")), Exit.HEARD),
        (call(turn()), Expected((), 0.9), Exit.HEARD),
        (NOBODY, Expected(), Exit.NO_AGENT),
        (call(greeting=""), Expected(), Exit.NOTHING_HEARD),
        (call(turn(), turn(latency_ms=None)), Expected(), Exit.NOTHING_HEARD),
        (call(turn()), Expected(("thirteen",)), Exit.NOT_EXPECTED),
        (call(turn()), Expected(("even",)), Exit.NOT_EXPECTED),
        (call(turn()), Expected((), 0.5), Exit.TOO_LATE),
        (call(turn()), Expected(("thirteen",), 0.5), Exit.NOT_EXPECTED),
    ],
)
def test_a_call_has_one_exit_code(held: Call, expected: Expected, code: Exit) -> None:
    assert judge(held, expected) is code


def test_what_was_not_said_and_what_was_late_is_told() -> None:
    held = call(turn(), turn(latency_ms=1200), turn(latency_ms=None))
    assert unsaid(held, ["twelve", "a fish"]) == ["a fish"]
    assert late_ms(held, 1.0) == [1200]
    assert late_ms(held, None) == []


def test_every_code_has_a_meaning_of_its_own() -> None:
    assert MEANINGS.keys() == set(Exit)
    assert len(set(MEANINGS.values())) == len(Exit)
    assert 1 not in set(Exit)  # which a program that breaks ends with
