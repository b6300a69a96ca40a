"""A turn as one line."""

import pytest

from agent.call.turn_record.glance import glance
from agent.records.schema import (
    Attempt,
    CallersPart,
    EndReason,
    Filler,
    Interruption,
    Reply,
    Tool,
    Turn,
)

PART = CallersPart(
    ended_ms=1000,
    last_word_final_ms=1100,
    decided_ms=1210,
    end_reason="confidence",
    end_confidence=0.91,
    committed_ms=1230,
)
REPLY = Reply(
    asked_ms=1240,
    first_token_ms=1550,
    first_clause_ms=1600,
    first_audio_ms=1780,
    first_sound_ms=1840,
    preemptive="used",
)


def shown(part: CallersPart = PART, reply: Reply | None = REPLY, **others: object) -> str:
    made = Turn(index=3, origin="caller", caller_part=part, reply=reply)
    return glance(made.model_copy(update=others))


def test_a_plain_turn_says_how_long_the_caller_waited_and_what_took_the_time() -> None:
    assert shown() == (
        "turn 3  0.84 s  ended by confidence 0.91 after 0.21 · model 0.31 (first token)"
        " · voice 0.18 · preemptive used"
    )


@pytest.mark.parametrize(
    ("turn", "line"),
    [
        (Turn(index=1, origin="greeting", reply=Reply(first_sound_ms=60)), "turn 1  greeting"),
        (Turn(index=2, origin="prompt"), "turn 2  spoken by itself"),
        (Turn(index=4, origin="caller"), "turn 4  no reply"),
        (Turn(index=5, origin="caller", reply=Reply()), "turn 5  reply not heard"),
        (Turn(index=6, origin="caller", reply=Reply(first_sound_ms=60)), "turn 6  answered"),
    ],
)
def test_of_what_is_not_known_nothing_is_said(turn: Turn, line: str) -> None:
    assert glance(turn) == line


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("silence", "ended by silence after 0.21"),
        ("second_opinion", "ended by second opinion after 0.21"),
        ("watchdog", "ended by watchdog after 0.21"),
    ],
)
def test_a_confidence_is_said_only_where_it_decided(reason: EndReason, said: str) -> None:
    part = PART.model_copy(update={"end_reason": reason})
    assert shown(part, Reply(first_sound_ms=1840)) == f"turn 3  0.84 s  {said}"


def test_a_typed_turn_waits_from_its_commit() -> None:
    part = CallersPart(end_reason="typed", committed_ms=1000)
    assert shown(part, Reply(first_sound_ms=1500)) == "turn 3  0.50 s  typed"


def test_a_recogniser_that_says_no_more_ends_a_turn_all_the_same() -> None:
    part = CallersPart(committed_ms=1000, end_reason="confidence", held_for_ms=400)
    line = "turn 3  0.50 s  ended by confidence · held back for 0.40"
    assert shown(part, Reply(first_sound_ms=1500)) == line


def test_all_that_went_wrong_is_there() -> None:
    reply = Reply(
        asked_ms=1240,
        first_token_ms=1540,
        first_audio_ms=1740,
        first_sound_ms=1840,
        preemptive="thrown_away",
        preemptive_wasted=2,
        llm=[
            Attempt(provider="a/b", took_for_ms=6000, error="timeout"),
            Attempt(provider="a/b", took_for_ms=300),
        ],
        interruptions=[
            Interruption(at_ms=2000, by="voice", outcome="false", resumed_ms=2600),
            Interruption(at_ms=2000, by="voice", outcome="false"),
            Interruption(at_ms=3000, by="words", outcome="true"),
        ],
    )
    line = shown(
        CallersPart(ended_ms=1000),
        reply,
        is_dictated=True,
        fillers=[Filler(at_ms=1500)],
        tools=[
            Tool(tool="order", started_ms=1000, ended_ms=1500),
            Tool(tool="search", started_ms=1000, ended_ms=31_000, outcome="timeout"),
            Tool(tool="look", started_ms=1000),
        ],
        cut_off_for_ms=420,
    )
    assert line == (
        "turn 3  0.84 s  dictated · filler · model failed: timeout · model 0.30 (first token)"
        " · voice 0.20 · preemptive thrown away: 2 · tool order 0.50"
        " · tool search 30.00 (timeout) · tool look"
        " · false barge-in, went on after 0.60 · interrupted by words · caller cut off after 0.42"
    )
