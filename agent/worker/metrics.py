"""The worker's own Prometheus counters, beside LiveKit's, on its page of metrics if it has one."""

from prometheus_client import Counter

from agent.call.barge_in.outcomes import KINDS

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

for _kind in KINDS:
    for _outcome in ("false", "true"):
        OVERLAPS.labels(_kind, _outcome)  # a series must exist to be read as zero
