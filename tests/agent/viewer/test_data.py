"""What a page shows of a call, as values."""

from pathlib import Path
from typing import Any

import pytest

from agent.records.read import RecordedCall
from agent.records.schema import (
    AgentChanged,
    Call,
    Consent,
    End,
    Formatted,
    HandedOver,
    Overlap,
    PresetChanged,
    ProviderFailed,
    Said,
    Turn,
    Word,
)
from agent.viewer.data import page_data
from workbench.local.calling import sample_records
from workbench.local.calling.sample_records import turn


def shown(*lines: Any, unread: int = 0) -> dict[str, Any]:
    return page_data(RecordedCall(Path("RM_1.jsonl"), lines, unread=unread))


def test_an_eventful_call_is_shown_with_its_figures() -> None:
    data = shown(*sample_records.eventful())
    assert data["room"] == "support-17"
    assert data["medianMs"] == 850
    assert data["slowest"] == {"ms": 5440, "turn": 5}
    assert data["lastsMs"] == 56_400
    assert data["cost"]["total"] == pytest.approx(0.0118)
    assert data["ending"] == "the caller hung up"
    assert [each["index"] for each in data["turns"]] == [1, 2, 3, 4, 5, 6, 7]
    assert data["turns"][2]["blamed"] == ["llm"]
    assert data["turns"][4]["blamed"] == ["tool book_table"]
    assert data["turns"][2]["reply"]["llm"][0]["error"] == "rate limit"
    assert data["turns"][3]["reply"]["interruptions"][0]["isFalse"]
    assert data["settings"]["AGENT_TURN_PRESET"] == "seed"
    assert [each["at"] for each in data["events"]] == [26_000, 34_000, 46_000]
    assert data["beside"] == [
        {"at": 26_000, "role": "user", "name": None, "text": "mhm", "mark": "backchannel"}
    ]


def test_texts_are_formatted_and_words_stand_in_for_those_that_are_missing() -> None:
    one = turn(1, 1000, "twenty five dollars", "Thank you.")
    data = shown(
        Call(),
        Said(role="user", text="it was", turn=1),
        Said(role="user", text="twenty five dollars", turn=1),
        Said(role="assistant", text="Thank", turn=1),
        Formatted(replaces="twenty five dollars", text="$25."),
        Formatted(replaces="nobody said this", text="x"),
        one,
        turn(2, 6000, "good bye", "Bye."),
    )
    assert data["turns"][0]["said"] == "it was $25."
    assert data["turns"][0]["answer"] == "Thank"
    assert data["turns"][1]["said"] == "good bye"


def test_what_was_said_and_is_in_no_turn_is_shown_beside() -> None:
    data = shown(
        Call(), Said(role="user", text="hello", turn=3, name="Ann"), Said(role="user", text="mm")
    )
    assert [(each["text"], each["name"]) for each in data["beside"]] == [
        ("hello", "Ann"),
        ("mm", None),
    ]


def test_a_call_without_anything_is_shown_too() -> None:
    data = shown(Call(room_sid="RM_1"), unread=2)
    assert data["room"] == "RM_1"
    assert data["medianMs"] is None
    assert data["slowest"] is None
    assert data["cost"] is None
    assert data["turns"] == []
    assert data["ending"].startswith("without an end")
    assert data["about"]["Unreadable lines"] == "2"
    assert "Worker" not in data["about"]


def test_a_turn_of_which_nothing_is_known_is_shown_and_the_length_reaches_the_last_word() -> None:
    late = turn(2, 60_000, "hello there", "Hello.")
    data = shown(Call(), Turn(index=1, origin="caller"), late, End(ending="odd", seconds=1.0))
    assert data["turns"][0] == {"index": 1, "origin": "caller", "said": "", "answer": ""}
    assert data["lastsMs"] > 60_000
    assert data["ending"] == "odd"


def test_events_beside_the_turns_have_their_words_and_their_times() -> None:
    data = shown(
        Call(at=10.0),
        Overlap(at_ms=9, taken_for="echo", is_right=False),
        ProviderFailed(at_ms=5, provider="llm", error="rate_limit", wait_for_ms=250),
        PresetChanged(at_ms=11, preset="seed"),
        AgentChanged(at_ms=12, agent="billing"),
        Consent(at=10.5, answer="no"),
        HandedOver(at=11.0),
    )
    failed, *others = data["events"]
    assert failed == {
        "at": 5,
        "kind": "Provider failed",
        "text": "the language model: rate limit",
        "waitMs": 250,
    }
    assert [(each["at"], each["text"]) for each in others] == [
        (9, "taken for echo, wrongly"),
        (11, "seed"),
        (12, "billing"),
        (500, "no"),
        (1000, "a person took the agent's place"),
    ]


def test_words_are_short_with_their_times_one_after_the_other() -> None:
    spoken = [
        Word(text="nine", start_ms=1000, end_ms=1240),
        Word(text="o clock", start_ms=1200, end_ms=1500),
    ]
    one = turn(1, 1000, "", "Yes.", part={"words": spoken})
    assert shown(Call(), one)["turns"][0]["saidWords"] == [
        "nine o\u00a0clock",
        [1000, 240, -40, 300],
    ]


def test_a_figure_of_nought_is_a_figure() -> None:
    cut = turn(1, 0, "hello", "Hello.", cut_off_for_ms=0)
    assert shown(Call(), cut)["turns"][0]["cutOffMs"] == 0
