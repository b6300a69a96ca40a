"""Calls against capacity: what load the worker reports, and whether it takes one more call.

A process waits ready for each place, since to start one takes a second of a core, and several at
the same moment take as many more. Those that are missing are started when a call has ended, never
while others begin.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from livekit.agents import JobRequest

from agent.call.participants import ROLE_ATTRIBUTE, AgentRole
from agent.worker.brake import Brake

log = logging.getLogger(__name__)

# LiveKit's server gives no job to a worker whose reported load is at or above this
# (`agents.target_load`).
FULL = 0.7
# So long after it was accepted, a call may not have opened its session with AssemblyAI.
RECENT_SECONDS = 5.0

Limit = Callable[[int], int]
"""How many more calls fit, where so many were accepted within the last `RECENT_SECONDS`."""


class Floor(Protocol):
    """Where the calls are: the worker, as far as admission goes."""

    @property
    def active_jobs(self) -> Sequence[object]: ...

    def keep_ready(self, processes: int) -> None:
        """Have so many processes wait for a call."""


class Admission:
    """Takes calls up to `capacity`, or fewer while the brake is on or a limit says so."""

    def __init__(
        self,
        capacity: int,
        brake: Brake,
        *limits: Limit,
        role: AgentRole = AgentRole.ANSWERS,
    ) -> None:
        """`role` is shown by each agent to whoever looks for agents in a room."""
        self._role = role
        self._capacity = capacity
        self._brake = brake
        self._limits = limits
        self._accepted_at: list[float] = []
        self._accepting = 0
        self._closed = False

    def close(self) -> None:
        """Take no more calls, for good."""
        self._closed = True

    def load(self, worker: Floor) -> float:
        """The load to report: 0 when idle, `FULL` where there is no place."""
        calls = len(worker.active_jobs)
        places = self.places(calls)
        worker.keep_ready(places)
        if places <= 0:
            return FULL
        return FULL * (calls + self._accepting) / self._capacity

    def places(self, active_calls: int) -> int:
        """How many calls fit beside the active ones and those that are being accepted."""
        calls = active_calls + self._accepting
        # Without a call, it is not this worker that keeps the machine busy.
        if self._closed or (calls and self._brake.is_on):
            return 0
        since = time.monotonic() - RECENT_SECONDS
        recent = sum(at > since for at in self._accepted_at)
        return max(0, min([self._capacity - calls, *(limit(recent) for limit in self._limits)]))

    async def decide(self, request: JobRequest, worker: Floor) -> None:
        """Accept the call, or leave it to another worker."""
        if not self.places(len(worker.active_jobs)):
            log.warning("refused a call: the worker is full", extra={"capacity": self._capacity})
            await request.reject(terminate=False)  # another worker may take it
            return
        self._accepting += 1
        self._accepted_at = [*self._accepted_at[-self._capacity :], time.monotonic()]
        worker.keep_ready(self.places(len(worker.active_jobs)))
        try:
            await request.accept(attributes={ROLE_ATTRIBUTE: self._role})
        finally:
            self._accepting -= 1
