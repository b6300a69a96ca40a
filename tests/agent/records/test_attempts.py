"""Failed requests are told before the time that they took, with the pauses between them."""

from pathlib import Path
from typing import Any

from agent.records.attempts import advice, failures_first, have_failed, tries
from agent.records.read import RecordedCall
from agent.records.schema import Attempt, Call, Line, ProviderFailed, Turn
from workbench.local.calling.sample_records import turn


def attempt(
    error: str | None = None, took_for_ms: int = 20, provider: str = "a.example"
) -> Attempt:
    return Attempt(provider=provider, took_for_ms=took_for_ms, error=error)


def asked(*attempts: Attempt, **fields: Any) -> Turn:
    return turn(
        2, 1000, "when do you open", "At nine.", llm=4600, reply={"llm": attempts, **fields}
    )


def said(one: Turn, *lines: Line) -> str:
    every: Any = (Call(), *lines)
    return failures_first(one, "llm", 4600, RecordedCall(Path("RM_1.jsonl"), every))


def failed(at_ms: int) -> ProviderFailed:
    return ProviderFailed(at_ms=at_ms, provider="llm", error="rate_limit")


def test_a_rate_limit_comes_first_with_each_pause() -> None:
    one = asked(attempt("rate_limit"), attempt("rate_limit", 40), attempt())
    assert one.reply
    assert one.reply.asked_ms
    begins = one.reply.asked_ms
    assert said(one, failed(begins + 20), failed(begins + 2260)) == (
        "the language model refused twice (rate limit at a.example), and the agent paused 2.20 s "
        "and 2.32 s between attempts; then it answered in 20 ms"
    )
    assert "and the agent paused 4.52 s in all; then" in said(one, failed(begins + 20))
    assert "4.52 s in all" in said(one, failed(begins + 20), failed(begins + 21))  # cannot be
    unknown = asked(attempt("rate_limit"), attempt(), asked_ms=None)
    assert "4.56 s in all" in said(unknown)


def test_one_failure_and_a_fallback_that_answered() -> None:
    one = asked(attempt("timeout", 2000), attempt(took_for_ms=2500, provider="b.example"))
    assert said(one) == (
        "the language model gave no answer in time once (at a.example); then it answered at "
        "b.example in 2.50 s"
    )
    late = asked(attempt("unavailable"), attempt())
    assert late.reply
    assert late.reply.asked_ms
    assert (
        "failed once (unavailable at a.example), and the agent paused 4.56 s before it asked again"
        in said(late, failed(late.reply.asked_ms + 20))
    )


def test_failures_of_several_kinds_and_without_an_answer() -> None:
    mixed = asked(attempt("timeout"), attempt("rate_limit"), attempt())
    assert said(mixed).startswith("the language model failed (no answer in time at a.example, then")
    assert said(asked(*[attempt("broken", 2000)] * 3)).startswith(
        "the language model failed 3 times"
    )


def test_advice_offers_only_what_could_have_helped() -> None:
    slow = asked(attempt())
    assert not have_failed(slow, "llm")
    hint = advice(slow, "llm", Call(settings={"OPENAI_LLM_MODEL": "big"}))
    assert hint.startswith("OPENAI_LLM_MODEL was big; no attempt failed")
    assert "PATIENCE" not in hint
    refused = asked(attempt("rate_limit"), attempt())
    hint = advice(refused, "llm", Call(settings={"OPENAI_LLM_PATIENCE_SECONDS": 6.0}))
    assert hint.startswith("OPENAI_FALLBACK_LLM_MODEL is not set; it names who takes over")
    assert "PATIENCE" not in hint
    timed_out = asked(attempt("timeout"), attempt())
    settings = {"OPENAI_LLM_PATIENCE_SECONDS": 6.0, "OPENAI_FALLBACK_LLM_MODEL": "small"}
    hint = advice(timed_out, "llm", Call(settings=settings))
    assert "OPENAI_FALLBACK_LLM_MODEL was small; that is who takes over" in hint
    assert "OPENAI_LLM_PATIENCE_SECONDS was 6 s; it is the time after which" in hint


def test_the_voice_has_its_own_requests() -> None:
    one = asked(attempt("timeout"))
    assert [each.provider for each in tries(one, "tts")] == ["api.openai.com/gpt-4o-mini-tts"]
    broken = asked(attempt(), tts=[attempt("timeout"), attempt()])
    every: Any = (Call(), failed(1))
    call = RecordedCall(Path("RM_1.jsonl"), every)
    assert "the voice (TTS) gave no answer" in failures_first(broken, "tts", 900, call)
    assert tries(Turn(index=1, origin="caller"), "llm") == []
