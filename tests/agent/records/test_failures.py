"""Failures of providers beside the turns, as sentences."""

from pathlib import Path
from typing import Any

import pytest

from agent.records.failures import found, is_of_a_loss, loss_before
from agent.records.oddity import Oddity
from agent.records.read import RecordedCall
from agent.records.schema import Attempt, Call, Line, ProviderFailed, SttSession, Turn
from agent.records.slow_replies import causes
from workbench.local.calling.sample_records import turn


def told(*lines: Line) -> list[Oddity]:
    every: Any = (Call(), *lines)
    return found(RecordedCall(Path("RM_1.jsonl"), every))


def only(*lines: Line) -> Oddity:
    (oddity,) = told(*lines)
    return oddity


def said(**fields: Any) -> Turn:
    return turn(2, 1000, "when do you open", "We open at nine.", **fields)


def test_a_lost_connection_is_told_in_its_turn() -> None:
    lost = ProviderFailed(at_ms=1500, provider="stt", error="NetworkError", wait_for_ms=250)
    again = SttSession(
        reason="NetworkError", billed_seconds=3.0, audio_sent_seconds=3.0, audio_resent_seconds=1.2
    )
    one = only(said(), lost, again)
    assert (one.kind, one.turn) == ("stt_lost", 2)
    assert one.sentence == (
        "Turn 2: at 0:01 the connection to AssemblyAI (speech recognition) was lost "
        "(no network connection), and opened again 0.25 s later. 1.2 s of sound were sent "
        "once more."
    )


def test_failures_of_one_outage_are_one_sentence() -> None:
    at = [(1500, 0), (1600, 500), (4000, 1000), (60_000, 0)]
    lost = [
        ProviderFailed(at_ms=each, provider="stt", error="NetworkError", wait_for_ms=wait)
        for each, wait in at
    ]
    first, second = told(said(), *lost)
    assert (
        "was lost (no network connection), and opened again 3.50 s later at attempt 3."
        in first.sentence
    )
    assert second.sentence.endswith("and opened again.")


def test_a_lost_connection_after_the_last_turn_belongs_to_it_and_without_turns_to_the_call() -> (
    None
):
    lost = ProviderFailed(at_ms=900_000, provider="stt", error="NetworkError")
    assert only(Turn(index=1, origin="greeting"), said(), lost).turn == 2
    assert only(lost).sentence.startswith("At 15:00 the connection")


@pytest.mark.parametrize(("count", "times"), [(1, "once"), (3, "3 times")])
def test_lost_connections_of_which_only_the_next_session_tells(count: int, times: str) -> None:
    one = only(*[SttSession(reason="QuotaError", billed_seconds=1.0)] * count)
    assert f"was lost {times} (too many new sessions in a minute)" in one.sentence
    assert told(SttSession(reason="roll over", billed_seconds=1.0)) == []


def test_a_failure_outside_of_any_reply_is_told_and_one_inside_only_once() -> None:
    failed = ProviderFailed(at_ms=1, provider="llm", error="timeout")
    assert "A request to the language model failed once outside" in only(failed).sentence
    attempts = [
        Attempt(provider="a.example", took_for_ms=100, error="timeout"),
        Attempt(provider="b.example", took_for_ms=200),
    ]
    assert told(said(reply={"llm": attempts}), failed) == []


def test_a_turn_long_after_a_loss_or_of_unknown_times_was_heard_in_time() -> None:
    lost = ProviderFailed(at_ms=100, provider="stt", error="NetworkError")
    every: Any = (Call(), lost)
    call = RecordedCall(Path("RM_1.jsonl"), every)
    assert loss_before(said(), call).endswith("while the connection was lost.")
    during: Any = (Call(), lost.model_copy(update={"at_ms": 1500}))
    assert loss_before(said(), RecordedCall(call.path, during)).endswith("was lost meanwhile.")
    assert not loss_before(turn(3, 20_000, "hello", "Hello."), call)
    assert not loss_before(Turn(index=1, origin="caller"), call)
    assert not loss_before(said(), RecordedCall(Path("RM_1.jsonl"), every[:1]))


def test_a_loss_is_told_with_the_turns_that_waited_for_the_recognition_alone() -> None:
    lost = ProviderFailed(at_ms=1500, provider="stt", error="TransientError")
    every: Any = (Call(), said(stt=3000), turn(3, 7000, "and on sundays", "No.", stt=2500), lost)
    call = RecordedCall(Path("RM_1.jsonl"), every)
    deaf = [each for each in call.turns if is_of_a_loss(each, causes(each), call)]
    (one,) = found(call, deaf)
    assert one.also == (3,)
    assert "(the session broke off)" in one.sentence  # nothing tells more
    assert one.sentence.endswith(
        "Therefore turn 2 waited 3.74 s, and turn 3 waited 3.24 s while AssemblyAI caught up."
    )
    both = said(stt=3000, llm=3000)
    assert not is_of_a_loss(both, causes(both), call)
    assert not is_of_a_loss(said(), [], call)
    (alone,) = found(call, [Turn(index=9, origin="caller")])
    assert alone.also == ()
