"""A call tells its worker what happens in it."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import (
    APIError,
    ChatMessage,
    ConversationItemAddedEvent,
    ErrorEvent,
    SessionUsageUpdatedEvent,
    llm,
    stt,
)
from livekit.agents.metrics import (
    AgentSessionUsage,
    EOTModelUsage,
    LLMModelUsage,
    ModelUsage,
    STTModelUsage,
    TTSModelUsage,
)

from agent.call.call_reports import CallReports
from agent.call.models.fallback import OnTry, Try
from agent.call.reports import Outcome
from agent.records.schema import Attempt
from stt_assemblyai.errors import NetworkError, RenewalError
from stt_assemblyai.events import Interrupted, Opened, SessionUsage


class Model:
    """Of `PatientLLM` and `PatientTTS`, what tells of tries."""

    tell: OnTry

    def on_try(self, tell: OnTry) -> None:
        self.tell = tell


def failure(*, recoverable: bool, of: str = "stt") -> ErrorEvent:
    kinds: dict[str, Any] = {"stt": stt.STTError, "llm": llm.LLMError}
    error = kinds[of](
        timestamp=0.0, label="", error=APIError("gone", body=None), recoverable=recoverable
    )
    return ErrorEvent(error=error, source=SimpleNamespace())


@pytest.fixture
def told() -> list[Mapping[str, Any]]:
    return []


@pytest.fixture
def models() -> tuple[Model, Model]:
    return Model(), Model()


@pytest.fixture
def reports(told: list[Mapping[str, Any]], models: tuple[Model, Model]) -> CallReports:
    job: Any = SimpleNamespace(proc=SimpleNamespace(userdata={"report": told.append}))
    return CallReports(job, *cast("tuple[Any, Any]", models))


@pytest.mark.usefixtures("reports")
def test_each_try_of_the_models_is_told(
    models: tuple[Model, Model], told: list[Mapping[str, Any]]
) -> None:
    attempt = Attempt(provider="a/b", took_for_ms=1)
    models[0].tell(Try(attempt, Outcome.BUSY, in_background=True))
    models[1].tell(Try(attempt, Outcome.ANSWERED, in_background=False))
    assert told == [
        {"kind": "tried", "provider": "llm", "outcome": "busy"},
        {"kind": "tried", "provider": "tts", "outcome": "answered"},
    ]


def test_sessions_that_open_break_off_and_are_given_up_are_told(
    reports: CallReports, told: list[Mapping[str, Any]]
) -> None:
    reports.on_recogniser_opened(Opened("id", None, ()))
    reports.on_recogniser_interrupted(Interrupted(NetworkError("away"), 1.0, 0))
    reports.on_recogniser_interrupted(Interrupted(RenewalError("three hours"), 0.0, 0))
    reports.on_error(failure(recoverable=True))
    reports.on_error(failure(recoverable=False, of="llm"))
    reports.on_error(failure(recoverable=False))
    assert [each["outcome"] for each in told] == ["answered", "busy", "refused"]
    assert {each["provider"] for each in told} == {"stt"}


def test_what_was_said_over_the_agent_is_told(
    reports: CallReports, told: list[Mapping[str, Any]]
) -> None:
    reports.overlapped("backchannel", is_right=True)
    assert [(each["taken_for"], each["is_right"]) for each in told] == [("backchannel", True)]


def test_a_call_without_a_worker_tells_nobody(models: tuple[Model, Model]) -> None:
    job: Any = SimpleNamespace(proc=SimpleNamespace(userdata={}))
    CallReports(job, *cast("tuple[Any, Any]", models)).overlapped("echo", is_right=False)


def test_what_a_session_has_used_since_the_last_time_is_told(
    reports: CallReports, told: list[Mapping[str, Any]]
) -> None:
    def use(*models: ModelUsage) -> None:
        reports.on_usage(SessionUsageUpdatedEvent(usage=AgentSessionUsage(list(models))))

    gpt = {"provider": "openai", "model": "gpt"}
    use(LLMModelUsage(**gpt, input_tokens=40, input_cached_tokens=10))
    use(LLMModelUsage(**gpt, input_tokens=40, input_cached_tokens=10))
    use(LLMModelUsage(**gpt, input_tokens=90, input_cached_tokens=10, output_tokens=7))
    use(
        TTSModelUsage(provider="openai", model="voice", characters_count=5, audio_duration=0.5),
        STTModelUsage(provider="AssemblyAI", model="universal", audio_duration=2.5),
        EOTModelUsage(provider="livekit", model="eot", total_requests=3),
    )
    assert [(each["model"], each["usage"]) for each in told] == [
        ("gpt", {"llm_input_tokens": 40, "llm_input_cached_tokens": 10}),
        ("gpt", {"llm_input_tokens": 50, "llm_output_tokens": 7}),
        ("voice", {"tts_characters": 5, "tts_audio_duration_seconds": 0.5}),
        ("universal", {"stt_audio_duration_seconds": 2.5}),
    ]


def test_the_time_of_a_hook_is_told_where_livekit_has_measured_it(
    reports: CallReports, told: list[Mapping[str, Any]]
) -> None:
    for metrics in ({}, {"on_user_turn_completed_delay": 0.25}):
        said: Any = ChatMessage(role="user", content=["hello"], metrics=metrics)
        reports.on_item_added(ConversationItemAddedEvent(item=said))
    handed: Any = SimpleNamespace(type="agent_handoff")
    reports.on_item_added(cast("Any", SimpleNamespace(item=handed)))
    assert told == [{"kind": "completed", "seconds": 0.25}]


def test_each_speech_session_is_told_with_its_bill(
    reports: CallReports, told: list[Mapping[str, Any]]
) -> None:
    reports.on_billed(SessionUsage("id", "roll over", 12.5, False, 12.0, 1.5))
    (session,) = told
    assert (session["kind"], session["reason"]) == ("stt_session", "roll over")
    assert (session["billed_seconds"], session["audio_resent_seconds"]) == (12.5, 1.5)
