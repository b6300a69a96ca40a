"""The sentence about a long wait names the stage that was to blame, with its figure."""

from pathlib import Path
from typing import Any

import pytest

from agent.records.read import RecordedCall
from agent.records.schema import Attempt, Call, Filler, Tool
from agent.records.slow_replies import (
    DICTATION_PAUSE_MS,
    SLOW_REPLY_MS,
    SLOWER_LEAST_MS,
    causes,
    slow_from_ms,
    slow_reply,
)
from config.behaviour import AgentSettings
from workbench.local.calling.sample_records import turn


def call_with(**settings: Any) -> RecordedCall:
    return RecordedCall(Path("RM_1.jsonl"), (Call(settings=settings),))


def told(**delays: Any) -> tuple[str, str]:
    one = turn(1, 1000, "hello there", "Hello.", **delays)
    assert causes(one)
    return slow_reply(one, causes(one), call_with())


@pytest.mark.parametrize(
    ("stage", "clause", "setting"),
    [
        (
            "stt",
            "AssemblyAI's last word was final 2.50 s after the caller stopped speaking",
            "BASE_URL",
        ),
        ("end", "the end of the turn took 2.50 s (AssemblyAI was sure", "AGENT_TURN_PRESET"),
        ("commit", "the session took 2.50 s to commit the turn", "WAIT_FOR_FORMATTED"),
        ("llm", "the language model's first token took 2.50 s", "OPENAI_LLM_MODEL"),
        ("clause", "the language model took 2.50 s from its first token", "FIRST_CLAUSE"),
        ("tts", "the first byte of the voice (TTS) took 2.50 s", "OPENAI_TTS_MODEL"),
        ("playout", "the first sound took 2.50 s from the voice", "CPU"),
    ],
)
def test_a_slow_stage_is_named_with_its_figure_and_a_setting(
    stage: str, clause: str, setting: str
) -> None:
    said, hint = told(**{stage: 2500})
    assert clause in said
    assert said.startswith("waited 3.")
    assert "and" not in said.split(":")[1].split("(")[0]  # nothing else is blamed
    assert setting in hint


def test_a_usual_wait_is_no_oddity() -> None:
    assert causes(turn(1, 1000, "hello there", "Hello.")) == []


def test_a_wait_is_odd_too_if_it_is_twice_as_long_as_the_calls_others() -> None:
    usual = [turn(index, 1000, "hello there", "Hello.") for index in (1, 2, 3)]
    assert slow_from_ms(usual) == 1700
    assert slow_from_ms(usual[:2]) == SLOW_REPLY_MS
    quick = [turn(index, 1000, "hello there", "Hello.", llm=10) for index in (1, 2, 3)]
    assert slow_from_ms(quick) == SLOWER_LEAST_MS
    slow = [turn(index, 1000, "hello there", "Hello.", llm=1500) for index in (1, 2, 3)]
    assert slow_from_ms(slow) == SLOW_REPLY_MS
    one = turn(4, 1000, "hello there", "Hello.", tts=1300)
    assert [each.key for each in causes(one, slow_from_ms(usual))] == ["tts"]


def test_failed_attempts_are_told_in_order() -> None:
    attempts = [
        Attempt(provider="a.example big", took_for_ms=240, error="rate_limit"),
        Attempt(provider="b.example small", took_for_ms=2100),
    ]
    said, _ = told(llm=2600, reply={"llm": attempts})
    assert (
        "the language model refused once (rate limit at a.example big); then it answered at "
        "b.example small in 2.10 s, and the first token came after 2.60 s" in said
    )


def test_failed_attempts_of_the_voice_are_told_first_too() -> None:
    attempts = [Attempt(provider="a.example", took_for_ms=2500, error="timeout")]
    said, hint = told(tts=2600, reply={"tts": attempts})
    assert "the voice (TTS) gave no answer in time once (at a.example), and the first byte" in said
    assert "OPENAI_TTS_PATIENCE_SECONDS" in hint


def test_two_stages_that_are_to_blame_are_both_named() -> None:
    said, hint = told(llm=2500, tts=2000)
    assert "first token took 2.50 s at api.openai.com/gpt-4.1-mini, and the first byte" in said
    assert "(TTS) took 2.00 s at api.openai.com/gpt-4o-mini-tts." in said
    assert "LLM" in hint


def test_a_wait_to_which_each_stage_adds_a_little_names_the_largest() -> None:
    every = {"stt": 400, "end": 500, "commit": 350, "llm": 750, "clause": 300}
    one = turn(1, 1000, "hello there", "Hello.", **every)
    assert len(causes(one)) == 1


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        ("ok", None, "the tool order took 2.50 s."),
        ("error", "KeyError", "took 2.50 s and failed (KeyError)"),
        ("timeout", None, "gave no answer within its limit, and was cancelled after 2.50 s"),
        ("cancelled", None, "took 2.50 s and was cancelled."),
    ],
)
def test_a_tool_that_kept_the_caller_waiting_is_named_with_its_outcome(
    outcome: Any, error: str | None, said: str
) -> None:
    tool = Tool(tool="order", started_ms=2000, ended_ms=4500, outcome=outcome, error=error)
    sentence, hint = told(llm=3000, tools=[tool])
    assert said in sentence
    assert ("AGENT_TOOL_TIMEOUT_SECONDS" in hint) is (outcome == "timeout")
    assert "Look at the tool order." in hint


def test_where_the_record_names_no_attempt_the_figure_stands_alone() -> None:
    said, _ = told(llm=2500, reply={"llm": []})
    assert said.endswith("first token took 2.50 s.")


def test_a_filler_in_the_wait_is_told() -> None:
    said, _ = told(llm=4000, fillers=[Filler(at_ms=4100)])
    assert said.endswith("; the caller heard a filler at 0:04.")


def test_an_end_of_turn_without_confidence_tells_its_reason_and_preset() -> None:
    waited = {"end_reason": "silence", "end_confidence": 0.31}
    said, hint = told(end=2500, part=waited)
    assert "waited for the longest silence, confidence 0.31)" in said
    assert hint.startswith("AGENT_TURN_PRESET was seed; it sets")
    _, hint = told(end=2500, part=waited, preset=None)
    assert hint.startswith("AGENT_TURN_PRESET: it sets")
    said, hint = told(end=4500, part=waited | {"end_confidence": None}, is_dictated=True)
    assert "silence, while the caller dictated)" in said
    assert "AGENT_DICTATION_PAUSE_MS" in hint
    said, _ = told(end=2500, part={"end_reason": None})
    assert "the record does not say why" in said


def test_who_dictates_is_waited_for_on_purpose() -> None:
    assert causes(turn(1, 1000, "five five", "Thanks.", end=1900))
    assert not causes(turn(1, 1000, "five five", "Thanks.", end=1900, is_dictated=True))
    assert AgentSettings().dictation_pause_ms == DICTATION_PAUSE_MS


def test_a_gap_and_a_held_end_are_told() -> None:
    said, _ = told(llm=2500, reply={"asked_ms": None})
    assert "for 2.50 s the record shows no stage at work" in said
    said, hint = told(commit=2500, part={"held_for_ms": 2400})
    assert "the second opinion held the end of the turn back for 2.40 s" in said
    assert "AGENT_TURN_HOLD_MS" in hint
