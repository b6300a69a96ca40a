"""What a worker counts besides what LiveKit counts; on its page of metrics, if it has one."""

from prometheus_client import Counter

CALLERS_RESCUED = Counter(
    "agent_callers_rescued", "Callers who waited without an agent and for whom one was asked"
)
AGENTS_REPLACED = Counter(
    "agent_agents_replaced", "Agents that died in a call and for which another one was asked"
)
CALLERS_TOLD_TO_WAIT = Counter(
    "agent_callers_told_to_wait", "Callers who were told that nobody is free"
)
