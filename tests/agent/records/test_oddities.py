"""What was odd in a call, as sentences; a healthy call has none."""

import re
from pathlib import Path
from typing import Any

import pytest

from agent.records.oddities import oddities
from agent.records.oddity import Oddity
from agent.records.read import RecordedCall
from agent.records.schema import (
    Attempt,
    Call,
    CallersPart,
    End,
    Line,
    ProviderFailed,
    Reply,
    SettingsRefused,
    Tool,
    Turn,
)
from workbench.local.calling import sample_records
from workbench.local.calling.sample_records import turn

WHERE = ("oddities", "interruptions", "failures")
GOOD = End(ending="caller_left")


def told(*lines: Line) -> list[Oddity]:
    every: Any = lines
    return oddities(RecordedCall(Path("RM_1.jsonl"), every))


def only(*lines: Line, call: Call | None = None) -> Oddity:
    (oddity,) = told(call or Call(), *lines, GOOD)
    return oddity


def said(**fields: Any) -> Turn:
    return turn(2, 1000, "when do you open", "We open at nine.", **fields)


def test_a_healthy_call_has_nothing_odd() -> None:
    assert told(*sample_records.healthy(8)) == []


def test_oddities_of_the_call_come_first_and_then_those_of_turns_in_order() -> None:
    found = told(*sample_records.eventful()[:-1])
    assert found[0].kind == "no_end"
    turns = [each.turn or 0 for each in found]
    assert turns == sorted(turns)
    kinds = {each.kind for each in found}
    assert kinds >= {"slow_reply", "false_barge_in", "stt_lost", "dictation_cut"}


def test_a_caller_who_waited_for_an_agent() -> None:
    one = only(call=Call(waited_for_ms=23_000))
    assert one.sentence.startswith("The caller waited 23.0 s in the room for an agent")
    assert "AGENT_MAX_CALLS" in one.hint


def test_an_agent_that_was_replaced() -> None:
    one = only(Call(at=65.0, replaces_agent=True), call=Call(at=0.0))
    assert one.sentence == "The agent died, and another one went on at 1:05."


def test_settings_that_were_refused() -> None:
    one = only(SettingsRefused(faults=["greeting: is too long"]))
    assert "greeting: is too long" in one.sentence


@pytest.mark.parametrize(
    ("ending", "words"),
    [("cannot_think", "the language model failed"), ("some_new_one", "some_new_one")],
)
def test_an_ending_after_which_somebody_should_look(ending: str, words: str) -> None:
    (one,) = told(Call(), End(ending=ending))
    assert one.sentence == f"The call ended because {words}."


def test_preemptive_replies_that_were_wasted() -> None:
    one = only(said(reply={"preemptive_wasted": 5}))
    assert one.sentence.startswith("5 preemptive replies were thrown away, beside 1")
    assert told(Call(), said(reply={"preemptive_wasted": 3}), GOOD) == []


def test_a_failed_attempt_of_the_model() -> None:
    attempts = [
        Attempt(provider="a.example", took_for_ms=100, error="timeout"),
        Attempt(provider="b.example", took_for_ms=200),
    ]
    one = only(said(reply={"llm": attempts}))
    assert one.sentence == (
        "Turn 2: the language model failed (no answer in time at a.example, then "
        "b.example answered in 0.20 s); the caller waited 0.85 s."
    )
    assert "OPENAI_FALLBACK_LLM_MODEL" in one.hint


def test_a_failed_attempt_of_the_voice_without_a_wait() -> None:
    attempts = [Attempt(provider="a.example", took_for_ms=100, error="timeout")]
    spoken = Turn(index=1, origin="prompt", reply=Reply(first_sound_ms=5, tts=attempts))
    assert only(spoken).sentence == (
        "Turn 1: the voice (TTS) failed (no answer in time at a.example)."
    )


def test_a_failed_attempt_that_made_the_caller_wait_is_told_there_alone() -> None:
    attempts = [Attempt(provider="a.example", took_for_ms=100, error="timeout")]
    one = only(said(llm=2500, reply={"llm": attempts}))
    assert one.kind == "slow_reply"
    assert "gave no answer in time once (at a.example)" in one.sentence


def test_turns_that_ended_late_or_in_another_way_than_they_should() -> None:
    late = only(said(end=1500, llm=100, part={"end_reason": "silence", "end_confidence": 0.2}))
    assert late.sentence == (
        "Turn 2 ended 1.61 s after the caller stopped speaking: AssemblyAI was not sure, and "
        "waited for the longest silence (confidence 0.20)."
    )
    dog = only(said(part={"end_reason": "watchdog", "end_confidence": None}))
    assert "did not end it when asked" in dog.sentence
    assert dog.hint == ""
    slow = only(said(end=2500, part={"end_reason": "silence"}))
    assert slow.kind == "slow_reply"  # told once


def test_a_lost_connection_and_the_waits_that_it_caused_are_one() -> None:
    lost = ProviderFailed(at_ms=1500, provider="stt", error="TransientError", wait_for_ms=100)
    again = ProviderFailed(at_ms=1700, provider="stt", error="NetworkError")
    next_one = turn(3, 7000, "and on sundays", "No.", stt=2500)
    one = only(said(stt=3000), next_one, lost, again)
    assert (one.kind, one.turn, one.also) == ("stt_lost", 2, (3,))
    assert "(no network connection)" in one.sentence  # one verdict, and the one that tells more
    assert "broke off" not in one.sentence
    assert one.sentence.endswith(
        "Therefore turn 2 waited 3.74 s, and turn 3 waited 3.24 s while AssemblyAI caught up."
    )
    assert "nearer" not in one.hint


def test_a_wait_with_another_cause_beside_the_loss_is_told_by_itself_without_a_region() -> None:
    lost = ProviderFailed(at_ms=1500, provider="stt", error="NetworkError")
    kinds = {each.kind: each for each in told(Call(), said(stt=3000, llm=3000), lost, GOOD)}
    assert kinds["slow_reply"].sentence.endswith("The connection to AssemblyAI was lost meanwhile.")
    assert kinds["slow_reply"].hint == ""


def test_the_same_in_several_turns_is_one() -> None:
    late = [
        turn(
            each,
            6000 * each,
            "when do you open",
            "At nine.",
            part={"formatted_ms": 6000 * each + 3400},
        )
        for each in (2, 3)
    ]
    one = only(*late)
    assert (one.turn, one.also) == (2, (3,))
    assert one.sentence.endswith("The same happened in turn 3 (2.04 s).")


def test_hints_say_what_was_in_force() -> None:
    call = Call(
        waited_for_ms=23_000,
        settings={"AGENT_MAX_CALLS": 1, "AGENT_TOOL_TIMEOUT_SECONDS": 6.0},
    )
    assert only(call=call).hint.startswith("AGENT_MAX_CALLS was 1; a worker takes so many")
    hung = Tool(tool="order", started_ms=0, ended_ms=6000, outcome="timeout")
    one = only(said(tools=[hung]), call=call.model_copy(update={"waited_for_ms": 0}))
    assert (
        "the tool order gave no answer within its limit of 6 s, and was cancelled" in one.sentence
    )
    assert one.hint.startswith("Look at the tool order. AGENT_TOOL_TIMEOUT_SECONDS was 6 s;")
    quick = Tool(tool="order", started_ms=0, ended_ms=3000)
    assert only(said(tools=[quick])).hint == "Look at the tool order."  # no limit was reached


def test_a_turn_that_the_second_opinion_held_back() -> None:
    one = only(said(commit=900, llm=100, part={"held_for_ms": 850}))
    assert one.sentence == "Turn 2's end was held back by the second opinion for 0.85 s."


def test_a_formatted_text_that_came_late_and_one_that_came_in_time() -> None:
    one = only(said(part={"formatted_ms": 1000 + 1080 + 280 + 2100}))
    assert one.sentence == (
        "Turn 2's formatted text came 2.10 s after the end of the turn, for AssemblyAI sent it "
        "late: the caller did not wait for it; the model read the words without capitals, digits "
        "and punctuation."
    )
    waited = only(said(commit=1100, llm=10, part={"formatted_ms": 1000 + 1080 + 1380}))
    assert waited.sentence.endswith("late: the turn waited for it.")
    assert told(Call(), said(part={"formatted_ms": None}), GOOD) == []


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        (Tool(tool="order", started_ms=0, ended_ms=900, outcome="error", error="KeyError"),
         "the tool order failed after 0.90 s (KeyError)"),
        (Tool(tool="order", started_ms=0, ended_ms=900, outcome="error"),
         "failed after 0.90 s (error)"),
        (Tool(tool="order", started_ms=0, ended_ms=30_000, outcome="timeout"),
         "gave no answer within its limit, and was cancelled after 30.0 s"),
        (Tool(tool="order", started_ms=0, ended_ms=900, outcome="cancelled"),
         "was cancelled after 0.90 s"),
        (Tool(tool="order", started_ms=0, ended_ms=2600), "the tool order took 2.60 s."),
        (Tool(tool="order", started_ms=0), "had not come back when the turn was over"),
    ],
)  # fmt: skip
def test_a_tool_that_went_wrong(tool: Tool, words: str) -> None:
    one = only(said(tools=[tool]))
    assert one.kind == "tool"
    assert words in one.sentence


def test_a_tool_that_went_well_or_is_told_with_the_wait_is_not_told_again() -> None:
    quick = Tool(tool="order", started_ms=0, ended_ms=300)
    assert told(Call(), said(tools=[quick]), GOOD) == []
    slow = Tool(tool="order", started_ms=2500, ended_ms=5000)
    assert only(said(llm=3500, tools=[slow])).kind == "slow_reply"


def test_a_reply_that_stood_still_in_between() -> None:
    one = only(said(reply={"ended_ms": 8000, "tts_audio_for_ms": 1100}))
    assert "Turn 2's reply stood still for 3.97 s" in one.sentence
    assert told(Call(), said(reply={"tts_audio_for_ms": 1100}), GOOD) == []


def test_a_turn_without_a_reply_unless_it_is_the_last() -> None:
    silent = Turn(index=1, origin="caller", caller_part=CallersPart(ended_ms=5))
    assert only(silent, said()).sentence == "Turn 1 got no reply that could be heard."
    mute = silent.model_copy(update={"reply": Reply()})
    assert only(mute, said()).kind == "no_reply"
    assert told(Call(), said(), silent, GOOD) == []


def test_the_page_about_it_names_each_kind_of_oddity() -> None:
    root = Path(__file__).parents[3]
    sources = [root / "agent" / "records" / f"{name}.py" for name in WHERE]
    text = "".join(path.read_text("utf-8") for path in sources)
    kinds = set(re.findall(r'Oddity\(\s*"([a-z_]+)"', text)) | {"cut_off", "dictation_cut"}
    table = (root / "docs" / "viewer.md").read_text("utf-8").split("| --- | --- |")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    assert {kind for row in rows for kind in re.findall(r"`(\w+)`", row)} == kinds
