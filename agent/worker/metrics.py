"""The worker's own Prometheus counters, beside LiveKit's, on its page of metrics if it has one."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import Counter

from agent.call.barge_in.outcomes import KINDS
from agent.call.reports import TRIED, Outcome
from agent.worker.outages import PROVIDERS

CALLERS_RESCUED = Counter(
    "agent_callers_rescued", "Callers who waited without an agent and for whom one was asked"
)
AGENTS_REPLACED = Counter(
    "agent_agents_replaced", "Agents that died in a call and for which another one was asked"
)
CALLERS_TOLD_TO_WAIT = Counter(
    "agent_callers_told_to_wait", "Callers who were told that nobody is free"
)
OVERLAPS = Counter(
    "agent_overlaps",
    "What callers said while the agent spoke or waited: what it was taken for, and whether rightly",
    ["kind", "outcome"],
)

PROVIDER_TRIES = Counter(
    "agent_provider_tries",
    "Requests to the LLM and the TTS, and openings of STT sessions, by how they went",
    ["provider", "outcome"],
)
REPORTS_LOST = Counter(
    "agent_reports_lost", "Messages of calls that did not reach the worker's metrics"
)

for _kind in KINDS:
    for _outcome in ("false", "true"):
        OVERLAPS.labels(_kind, _outcome)  # a series must exist to be read as zero
for _provider in PROVIDERS:
    for _result in Outcome:
        PROVIDER_TRIES.labels(_provider, _result.value)


def count(message: Mapping[str, Any]) -> None:
    """Count what a call reports (`agent.call.reports`)."""
    REPORTS_LOST.inc(message.get("lost", 0))
    match message["kind"]:
        case "overlap":
            OVERLAPS.labels(message["taken_for"], str(message["is_right"]).lower()).inc()
        case kind if kind == TRIED:
            PROVIDER_TRIES.labels(message["provider"], message["outcome"]).inc()
