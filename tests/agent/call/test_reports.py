"""What leaves a job's process are numbers and enumerations."""

from typing import get_args

import pytest

from agent.call.reports import Outcome, into_nothing, line, overlapped, tried
from agent.records.schema import CallersPart, Provider, Reply, Turn, Word

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


def test_without_a_worker_nobody_is_told() -> None:
    into_nothing(tried("llm", Outcome.BUSY))
