"""Calls against capacity: what load the worker reports, and whether it takes one more call."""

import logging

from livekit.agents import AgentServer, JobRequest

log = logging.getLogger(__name__)

# LiveKit's server gives no job to a worker whose reported load is at or above this
# (`agents.target_load`).
FULL = 0.7


class Admission:
    """Takes calls up to `capacity`, whatever else the machine is busy with."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._accepting = 0

    def load(self, worker: AgentServer) -> float:
        """The load to report: 0 when idle, `FULL` at capacity."""
        return FULL * (len(worker.active_jobs) + self._accepting) / self._capacity

    def admits(self, active_calls: int) -> bool:
        """Whether one more call fits beside the active ones and those that are being accepted."""
        return active_calls + self._accepting < self._capacity

    async def decide(self, request: JobRequest, worker: AgentServer) -> None:
        """Accept the call, or leave it to another worker."""
        if not self.admits(len(worker.active_jobs)):
            log.warning("refused a call: the worker is full", extra={"capacity": self._capacity})
            await request.reject(terminate=False)  # another worker may take it
            return
        self._accepting += 1
        try:
            await request.accept()
        finally:
            self._accepting -= 1
