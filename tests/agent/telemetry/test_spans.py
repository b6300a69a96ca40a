"""What a call's record adds to its trace."""

from collections.abc import Iterator

import pytest
from livekit.agents import telemetry
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.records.schema import (
    Call,
    CallersPart,
    Cost,
    End,
    Line,
    PresetChanged,
    ProviderFailed,
    Reply,
    Said,
    SttSession,
    Turn,
    Usage,
    Word,
)
from agent.telemetry.spans import Spans

BEGAN = 1000.0
PART = CallersPart(
    started_ms=2000,
    ended_ms=4000,
    last_word_final_ms=4100,
    decided_ms=4300,
    end_reason="confidence",
    end_confidence=0.8,
    held_for_ms=200,
    committed_ms=4500,
    words=[Word(text="zorilla", start_ms=2000, end_ms=2400)],
)
REPLY = Reply(
    first_token_ms=4800,
    first_sound_ms=5200,
    preemptive="used",
    prompt_tokens=100,
    words=[Word(text="zorilla", start_ms=5200, end_ms=5400)],
)


class Trace:
    """The finished spans, and those that stand for LiveKit's job and session."""

    def __init__(self, exporter: InMemorySpanExporter, job: trace.Span) -> None:
        self._exporter = exporter
        self.job = job
        self.session = telemetry.tracer.start_span("agent_session")
        self._outlet = Spans()
        self._outlet(Call(at=BEGAN, caller="zorilla"))

    def tell(self, *lines: Line) -> list[ReadableSpan]:
        """In the session; returns the spans that are over."""
        with trace.use_span(self.session):
            for line in lines:
                self._outlet(line)
        return [*self._exporter.get_finished_spans()]

    def of_session(self) -> ReadableSpan:
        """The session is over: its span."""
        self.session.end()
        return self._exporter.get_finished_spans()[-1]

    def of_job(self, *lines: Line) -> ReadableSpan:
        """When these came after the session, and the job is over: its span."""
        self.tell(*lines)  # LiveKit leaves the session's span the current one
        self.job.end()
        return self._exporter.get_finished_spans()[-1]


@pytest.fixture
def traced() -> Iterator[Trace]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.tracer.set_provider(provider)
    with telemetry.tracer.start_as_current_span("job_entrypoint", end_on_exit=False) as job:
        yield Trace(exporter, job)
    telemetry.tracer.set_provider(trace.get_tracer_provider())


def seconds(span: ReadableSpan) -> tuple[float, float]:
    """When it began and ended, since the call did."""
    assert span.start_time
    assert span.end_time
    return round(span.start_time / 1e9 - BEGAN, 3), round(span.end_time / 1e9 - BEGAN, 3)


def test_a_turns_wait_is_a_span_from_the_voices_end_to_the_first_sound(traced: Trace) -> None:
    held, wait = traced.tell(Turn(index=3, origin="caller", caller_part=PART, reply=REPLY))
    assert (wait.name, held.name) == ("caller_wait", "second_opinion")
    assert seconds(wait) == (4.0, 5.2)
    assert seconds(held) == (4.3, 4.5)
    assert wait.parent == traced.session.get_span_context()
    assert held.parent == wait.context
    assert [event.name for event in wait.events] == [
        "last_word_final",
        "decided",
        "committed",
        "first_token",
    ]


def test_it_says_why_the_turn_ended_and_no_word_of_it(traced: Trace) -> None:
    (_, wait) = traced.tell(Turn(index=3, origin="caller", caller_part=PART, reply=REPLY))
    assert wait.attributes
    assert wait.attributes["agent.turn.index"] == 3
    assert wait.attributes["agent.turn.end_reason"] == "confidence"
    assert wait.attributes["agent.turn.end_confidence"] == 0.8
    assert wait.attributes["agent.turn.held_for_ms"] == 200
    assert wait.attributes["agent.turn.reply.preemptive"] == "used"
    assert "zorilla" not in wait.to_json()


def test_tokens_stay_livekits(traced: Trace) -> None:
    """A tool that adds up what it finds would count them twice."""
    (_, wait) = traced.tell(Turn(index=3, origin="caller", caller_part=PART, reply=REPLY))
    assert not [name for name in wait.attributes or () if "token" in name and name[-2:] != "ms"]


def test_a_typed_turn_waits_from_its_commit(traced: Trace) -> None:
    typed = CallersPart(committed_ms=1000, end_reason="typed")
    (wait,) = traced.tell(Turn(index=1, origin="caller", caller_part=typed, reply=REPLY))
    assert seconds(wait) == (1.0, 5.2)


def test_a_turn_without_a_reply_ends_where_it_was_decided(traced: Trace) -> None:
    (_, wait) = traced.tell(Turn(index=1, origin="caller", caller_part=PART))
    assert seconds(wait) == (4.0, 4.5)


def test_for_a_greeting_nobody_waits(traced: Trace) -> None:
    assert traced.tell(Turn(index=1, origin="greeting", reply=REPLY)) == []


def test_a_session_with_assemblyai_is_a_span(traced: Trace) -> None:
    line = SttSession(at=BEGAN + 30, reason="roll over", billed_seconds=20, audio_sent_seconds=19)
    (session,) = traced.tell(line)
    assert session.name == "stt_session"
    assert seconds(session) == (10.0, 30.0)
    assert session.attributes
    assert session.attributes["agent.reason"] == "roll over"


def test_what_else_happens_is_an_event_of_the_session(traced: Trace) -> None:
    traced.tell(
        Said(role="user", text="zorilla"),
        ProviderFailed(at_ms=5, provider="llm", error="timeout"),
        PresetChanged(at_ms=9, preset="conservative"),
    )
    session = traced.of_session()
    assert [event.name for event in session.events] == ["agent.provider_failed", "agent.preset"]
    assert dict(session.events[0].attributes or {})["agent.provider"] == "llm"
    assert "zorilla" not in session.to_json()


def test_the_end_and_its_cost_are_on_the_job(traced: Trace) -> None:
    """LiveKit's session is closed before the record is."""
    traced.of_session()
    job = traced.of_job(
        PresetChanged(at_ms=9, preset="conservative"),
        End(ending="caller_left", seconds=60, usage=Usage(tts_characters=9), cost=Cost(llm=0.5)),
    )
    assert [event.name for event in job.events] == ["agent.preset"]
    assert job.attributes
    assert job.attributes["agent.call.ending"] == "caller_left"
    assert job.attributes["agent.call.llm"] == 0.5
    assert job.attributes["agent.call.tts_characters"] == 9


def test_another_call_of_the_process_has_a_trace_of_its_own() -> None:
    spans = Spans()
    assert isinstance(spans.again(), Spans)
    assert spans.again() is not spans
