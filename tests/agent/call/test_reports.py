"""What leaves a job's process are numbers and enumerations."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from agent.call.reports import (
    Outcome,
    completed,
    into_nothing,
    late,
    line,
    outlet_for,
    overlapped,
    tried,
    used,
)
from agent.loop_lag import Lag
from agent.records.schema import CallersPart, End, Provider, Reply, Said, SttSession, Turn, Word

PROVIDERS: tuple[Provider, ...] = get_args(Provider)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_try_is_two_words_of_ours(provider: Provider, outcome: Outcome) -> None:
    message = tried(provider, outcome)
    assert message == {"kind": "tried", "provider": provider, "outcome": str(outcome)}
    assert {type(each) for each in message.values()} == {str}


def test_an_overlap_is_what_it_was_taken_for_and_whether_that_was_right() -> None:
    message = overlapped("echo", is_right=False)
    assert (message["kind"], message["taken_for"], message["is_right"]) == (
        "overlap",
        "echo",
        False,
    )


def test_a_turn_goes_without_its_words_and_its_speaker() -> None:
    said = [Word(text="secret", start_ms=0, end_ms=5)]
    turn = Turn(
        index=1,
        origin="caller",
        speaker="somebody",
        caller_part=CallersPart(ended_ms=5, words=said),
        reply=Reply(first_sound_ms=900, words=said),
    )
    message = line(turn)
    assert message["reply"]["first_sound_ms"] == 900
    assert "secret" not in str(message)
    assert "somebody" not in str(message)


def test_usage_and_delays_are_numbers() -> None:
    usage = {"llm_input_tokens": 40.0}
    message = used("gpt", "api.example", usage)
    assert message == {"kind": "used", "model": "gpt", "provider": "api.example", "usage": usage}
    assert completed(0.5) == {"kind": "completed", "seconds": 0.5}


def test_of_a_record_the_lines_that_are_counted_are_told() -> None:
    told: list[Mapping[str, Any]] = []
    tell = outlet_for(told.append)
    for each in (
        Said(role="user", text="secret"),
        Turn(index=1, origin="greeting"),
        SttSession(reason="start", billed_seconds=1.0),
        End(ending="caller_left"),
    ):
        tell(each)
    assert [each["kind"] for each in told] == ["turn", "end"]


def test_without_a_worker_nobody_is_told() -> None:
    into_nothing(tried("llm", Outcome.BUSY))


def test_a_lag_is_short_whatever_it_was_measured_to() -> None:
    assert late(7, 2, Lag(0.0123456, 1.0)) == {
        "kind": "late",
        "process": 7,
        "calls": 2,
        "mean": 0.0123,
        "worst": 1.0,
    }
