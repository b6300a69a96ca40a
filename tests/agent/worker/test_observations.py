"""What calls report becomes metrics: each message changes what it is about, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import ValidationError

from agent.call.reports import Outcome, completed, late, line, overlapped, tried, used
from agent.loop_lag import Lag
from agent.records.schema import (
    Attempt,
    CallersPart,
    Cost,
    End,
    Filler,
    HandedOver,
    Interruption,
    Reply,
    SttSession,
    Tool,
    Turn,
)
from agent.worker.observations import count

Value = Callable[..., float]


@pytest.fixture
def grown() -> Value:
    """How much a sample has grown since the test began."""
    before = {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for metric in REGISTRY.collect()
        for each in metric.samples
    }

    def grown(name: str, **labels: str) -> float:
        now = REGISTRY.get_sample_value(name, labels)
        assert now is not None, name
        return now - before.get((name, tuple(sorted(labels.items()))), 0.0)

    return grown


PART = CallersPart(
    ended_ms=5000,
    last_word_final_ms=4900,
    committed_ms=5300,
    end_reason="confidence",
)
REPLY = Reply(
    asked_ms=5300,
    first_token_ms=5700,
    first_clause_ms=5800,
    first_audio_ms=6000,
    first_sound_ms=6050,
    preemptive_wasted=2,
    llm=[
        Attempt(provider="a.example:80/first", took_for_ms=9, error="timeout"),
        Attempt(provider="b.example/maker/second", took_for_ms=9),
    ],
    interruptions=[Interruption(at_ms=7000, by="voice", outcome="false", resumed_ms=7400)],
)


def turn(**own: Any) -> Turn:
    return Turn(**{"index": 1, "origin": "caller", "caller_part": PART, "reply": REPLY, **own})


def test_a_turn_has_a_time_for_each_of_its_stages(grown: Value) -> None:
    count(line(turn()))
    for stage, seconds in (
        ("e2e_latency", 1.05),
        ("transcription_delay", 0),
        ("end_of_turn_delay", 0.3),
    ):
        name = f"lk_agents_turn_{stage}_seconds"
        assert grown(f"{name}_count") == 1
        assert grown(f"{name}_sum") == pytest.approx(seconds)
    model = {"model_name": "maker/second"}
    assert grown("lk_agents_turn_llm_ttft_seconds_sum", **model) == pytest.approx(0.4)
    assert grown("lk_agents_turn_tts_ttfb_seconds_sum", model_name="") == pytest.approx(0.2)


def test_a_turn_counts_as_it_ended_and_with_what_happened_in_it(grown: Value) -> None:
    tools = [
        Tool(tool="a", started_ms=1),
        Tool(tool="b", started_ms=2, outcome="timeout"),
    ]
    count(line(turn(fillers=[Filler(at_ms=5500)], tools=tools, cut_off_for_ms=400)))
    assert grown("agent_turns_total", end_reason="confidence") == 1
    assert grown("agent_turns_total", end_reason="unknown") == 0
    assert grown("agent_fillers_total") == grown("agent_cut_offs_total") == 1
    assert grown("agent_tool_calls_total", outcome="ok") == 1
    assert grown("agent_tool_calls_total", outcome="timeout") == 1
    assert grown("agent_interruptions_total", by="voice", outcome="false") == 1
    assert grown("agent_replies_total", fate="heard") == 1
    assert grown("agent_replies_total", fate="thrown_away") == 2


def test_a_greeting_is_a_reply_and_no_turn_of_the_caller(grown: Value) -> None:
    count(line(turn(origin="greeting")))
    assert grown("agent_turns_total", end_reason="confidence") == 0
    assert grown("lk_agents_turn_e2e_latency_seconds_count") == 0
    assert grown("lk_agents_turn_tts_ttfb_seconds_count", model_name="") == 1
    assert grown("agent_replies_total", fate="heard") == 0
    assert grown("agent_cut_offs_total") == 0


def test_a_reply_of_which_no_sound_came_is_silent(grown: Value) -> None:
    count(line(turn(reply=Reply())))
    assert grown("agent_replies_total", fate="silent") == 1
    assert grown("lk_agents_turn_e2e_latency_seconds_count") == 0


def test_a_turn_without_a_reply_or_known_times_is_a_turn(grown: Value) -> None:
    count(line(turn(caller_part=CallersPart(), reply=None)))
    assert grown("agent_turns_total", end_reason="unknown") == 1
    assert grown("lk_agents_turn_end_of_turn_delay_seconds_count") == 0
    assert grown("agent_replies_total", fate="heard") == 0


def test_a_call_counts_by_its_ending(grown: Value) -> None:
    count(line(End(ending="caller_left", seconds=61.5, cost=Cost(stt=0.01, llm=0.02, tts=0.03))))
    assert grown("agent_calls_total", ending="caller_left") == 1
    assert grown("agent_call_duration_seconds_sum") == 61.5
    assert grown("agent_cost_total", provider="llm", currency="USD") == pytest.approx(0.02)
    count(line(End(ending="fault")))
    assert grown("agent_calls_total", ending="fault") == 1
    assert grown("agent_call_duration_seconds_count") == 1


def test_a_speech_session_counts_by_the_reason_for_it(grown: Value) -> None:
    count(
        line(SttSession(reason="audio again", billed_seconds=12.5, audio_resent_seconds=1.5)),
    )
    assert grown("agent_stt_sessions_total", reason="audio_again") == 1
    assert grown("agent_stt_billed_seconds_total") == 12.5
    assert grown("agent_stt_replayed_seconds_total") == 1.5


def test_tries_overlaps_usage_and_completions_are_counted(grown: Value) -> None:
    count(tried("tts", Outcome.REFUSED))
    assert grown("agent_provider_tries_total", provider="tts", outcome="refused") == 1
    count(overlapped("echo", is_right=False))
    assert grown("agent_overlaps_total", kind="echo", outcome="false") == 1
    count(used("gpt", "api.example", {"llm_input_tokens": 40, "llm_output_tokens": 5}))
    model = {"model_name": "gpt", "model_provider": "api.example"}
    assert grown("lk_agents_usage_llm_input_tokens_total", **model) == 40
    assert grown("lk_agents_usage_llm_output_tokens_total", **model) == 5
    count(completed(0.25))
    assert grown("lk_agents_turn_on_user_turn_completed_delay_seconds_sum") == 0.25


def test_what_was_lost_before_a_message_is_counted_with_it(grown: Value) -> None:
    count({**tried("llm", Outcome.BUSY), "lost": 3})
    assert grown("agent_reports_lost_total") == 3
    assert grown("agent_provider_tries_total", provider="llm", outcome="busy") == 1


def test_other_lines_change_nothing_and_unknown_ones_are_a_fault() -> None:
    before = [each.samples for each in REGISTRY.collect() if each.name.startswith("agent_")]
    count(line(HandedOver()))
    assert before == [each.samples for each in REGISTRY.collect() if each.name.startswith("agent_")]
    with pytest.raises(ValidationError):
        count({"kind": "strange"})


def test_the_worst_lag_of_each_second_counts(grown: Value) -> None:
    count(late(7, 2, Lag(0.01, 0.2)))
    name = "agent_call_event_loop_lag_seconds"
    assert (grown(f"{name}_count"), grown(f"{name}_sum")) == (1, pytest.approx(0.2))
    assert (grown(f"{name}_bucket", le="0.1"), grown(f"{name}_bucket", le="0.25")) == (0, 1)
