"""Turns what calls report into metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import Histogram

from agent.call.reports import COMPLETED, LATE, TRIED, USED
from agent.records.schema import LINE, AnyLine, Attempt, End, Overlap, Reply, SttSession, Turn
from agent.worker import metrics

LOST = "lost"
"""A message may have the number of those that were lost before it."""


def count(message: Mapping[str, Any]) -> None:
    """Count one message of a call (`agent.call.reports`).

    Raises pydantic's ValidationError for a line that no schema knows.
    """
    metrics.REPORTS_LOST.inc(message.get(LOST, 0))
    match message["kind"]:
        case kind if kind == TRIED:
            metrics.PROVIDER_TRIES.labels(message["provider"], message["outcome"]).inc()
        case kind if kind == COMPLETED:
            metrics.ON_USER_TURN_COMPLETED_DELAY.observe(message["seconds"])
        case kind if kind == LATE:
            metrics.CALLS_LOOP_LAG.observe(message["worst"])
        case kind if kind == USED:
            for name, used in message["usage"].items():
                metrics.USAGE[name].labels(message["model"], message["provider"]).inc(used)
        case _:
            observe(LINE.validate_python(message))


def observe(line: AnyLine) -> None:
    """Count one line of a call's record. Lines without a metric of their own change nothing."""
    match line:
        case Turn():
            _observe_turn(line)
        case Overlap():
            metrics.OVERLAPS.labels(line.taken_for, str(line.is_right).lower()).inc()
        case SttSession():
            metrics.STT_SESSIONS.labels(line.reason.replace(" ", "_")).inc()
            metrics.STT_BILLED.inc(line.billed_seconds)
            metrics.STT_REPLAYED.inc(line.audio_resent_seconds)
        case End():
            _observe_end(line)
        case _:
            pass


def _observe_turn(turn: Turn) -> None:
    part, reply = turn.caller_part, turn.reply
    if turn.origin == "caller":
        metrics.TURNS.labels(part.end_reason or metrics.UNKNOWN).inc()
        _observe_between(metrics.TRANSCRIPTION_DELAY, part.ended_ms, part.last_word_final_ms)
        _observe_between(metrics.END_OF_TURN_DELAY, part.ended_ms, part.committed_ms)
        if reply:
            _observe_between(metrics.E2E_LATENCY, part.ended_ms, reply.first_sound_ms)
            metrics.REPLIES.labels("silent" if reply.first_sound_ms is None else "heard").inc()
            metrics.REPLIES.labels("thrown_away").inc(reply.preemptive_wasted)
    metrics.CUT_OFFS.inc(turn.cut_off_for_ms is not None)
    metrics.FILLERS.inc(len(turn.fillers))
    for tool in turn.tools:
        metrics.TOOLS.labels(tool.outcome).inc()
    if reply:
        _observe_reply(reply)


def _observe_reply(reply: Reply) -> None:
    llm, tts = (
        metrics.LLM_TTFT.labels(_model(reply.llm)),
        metrics.TTS_TTFB.labels(_model(reply.tts)),
    )
    _observe_between(llm, reply.asked_ms, reply.first_token_ms)
    _observe_between(tts, reply.first_clause_ms, reply.first_audio_ms)
    for each in reply.interruptions:
        metrics.INTERRUPTIONS.labels(each.by, each.outcome).inc()


def _observe_end(end: End) -> None:
    metrics.CALLS.labels(end.ending).inc()
    if end.seconds is not None:
        metrics.CALL_DURATION.observe(end.seconds)
    if end.cost:
        for provider in ("stt", "llm", "tts"):
            cost: float = getattr(end.cost, provider)
            metrics.COST.labels(provider, end.cost.currency).inc(cost)


def _observe_between(histogram: Histogram, from_ms: int | None, to_ms: int | None) -> None:
    """Observe a time whose two ends are known. A voice is sometimes heard to end after its words
    were final: that took no time."""
    if from_ms is not None and to_ms is not None:
        histogram.observe(max(0, to_ms - from_ms) / 1000)


def _model(attempts: Sequence[Attempt]) -> str:
    """The model that answered; the schema has it behind its host and a slash."""
    answered = [each.provider for each in attempts if each.error is None]
    return answered[-1].partition("/")[2] if answered else ""
