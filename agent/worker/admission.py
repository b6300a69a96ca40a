"""Calls against capacity: what load the worker reports, and whether it takes one more call."""

import logging

from livekit.agents import AgentServer, JobRequest

from agent.worker.brake import Brake

log = logging.getLogger(__name__)

# LiveKit's server gives no job to a worker whose reported load is at or above this
# (`agents.target_load`).
FULL = 0.7


class Admission:
    """Takes calls up to `capacity`, or fewer while the brake is on."""

    def __init__(self, capacity: int, brake: Brake) -> None:
        self._capacity = capacity
        self._brake = brake
        self._accepting = 0
        self._closed = False

    def close(self) -> None:
        """Take no more calls, for good."""
        self._closed = True

    def load(self, worker: AgentServer) -> float:
        """The load to report: 0 when idle, `FULL` where there is no place."""
        calls = len(worker.active_jobs)
        if self.places(calls) <= 0:
            return FULL
        return FULL * (calls + self._accepting) / self._capacity

    def places(self, active_calls: int) -> int:
        """How many calls fit beside the active ones and those that are being accepted."""
        calls = active_calls + self._accepting
        # Without a call, it is not this worker that keeps the machine busy.
        if self._closed or (calls and self._brake.is_on):
            return 0
        return max(0, self._capacity - calls)

    async def decide(self, request: JobRequest, worker: AgentServer) -> None:
        """Accept the call, or leave it to another worker."""
        if not self.places(len(worker.active_jobs)):
            log.warning("refused a call: the worker is full", extra={"capacity": self._capacity})
            await request.reject(terminate=False)  # another worker may take it
            return
        self._accepting += 1
        try:
            await request.accept()
        finally:
            self._accepting -= 1
