"""What a number of simultaneous calls needs: pods, cores, memory, LiveKit's nodes, Redis."""

import math
from dataclasses import dataclass

from agent.doctor.kubernetes import CALL_CORES, CALL_MB, WORKER_MB
from agent.worker.pace import START_CORE_SECONDS

__all__ = ["Fleet", "fleet"]

SPARE_SHARE, SPARE_CALLS = 0.2, 8
"""Free places that deploy/kubernetes/components/keda keeps."""

LEAST_PODS = 2
LIVEKIT_CORES = 0.036
"""LiveKit's server for one call of a caller and an agent: the most in docs/capacity.md."""

POD_COMMANDS, SESSION_COMMANDS, CALL_COMMANDS = 11.0, 1.0, 2.0
"""To Redis. A pod's each second: its presence (3) and the lease (1), every 0.4 s, and how many new
sessions are free (1). One for each new session. A call's each second, if its record is kept: five
for each piece of it, estimated at a piece in two and a half seconds."""

NODE_CORES, NODE_SHARE = 16, 0.7
"""A node of LiveKit's, and how busy it may be."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is needed for so many calls at once."""

    calls: int
    calls_per_pod: int
    pods: int
    cores: float
    """That all pods request together."""
    memory_gb: float
    livekit_cores: float
    livekit_nodes: int
    """Of `NODE_CORES` cores; at least two, so that one may fail."""
    new_sessions_per_minute: float
    """At AssemblyAI, while as many calls begin as end."""
    redis_commands_per_second: float
    """Presence, lease, the budget of new sessions, and records of calls."""


def fleet(calls: int, *, calls_per_pod: int, call_seconds: float) -> Fleet:
    """The fleet for `calls` at once that last `call_seconds` on average."""
    places = math.ceil(calls * (1 + SPARE_SHARE)) + SPARE_CALLS
    pods = max(LEAST_PODS, math.ceil(places / calls_per_pod))
    new_sessions_per_minute = calls * 60 / call_seconds
    livekit_cores = calls * LIVEKIT_CORES
    return Fleet(
        calls=calls,
        calls_per_pod=calls_per_pod,
        pods=pods,
        cores=pods * (calls_per_pod * CALL_CORES + START_CORE_SECONDS),
        memory_gb=pods * (WORKER_MB + CALL_MB * calls_per_pod) / 1000,
        livekit_cores=livekit_cores,
        livekit_nodes=max(2, math.ceil(livekit_cores / (NODE_CORES * NODE_SHARE))),
        new_sessions_per_minute=new_sessions_per_minute,
        redis_commands_per_second=pods * POD_COMMANDS
        + new_sessions_per_minute / 60 * SESSION_COMMANDS
        + calls * CALL_COMMANDS,
    )
