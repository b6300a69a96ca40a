"""Admission: the load that the worker reports, and whether it takes one more call, and when.

Starting a process takes a second of a core, and several at once take several. So one process waits
for each free place. Missing processes are started when a call has ended, never while calls begin.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from livekit.agents import JobRequest

from agent.call.people.participants import AgentRole
from agent.room_names import Attribute
from agent.worker.health import Shortage
from agent.worker.load_shedding import LoadShedding, cores
from agent.worker.pace import LONGEST_WAIT_SECONDS, Pace

log = logging.getLogger(__name__)

# LiveKit's server gives no job to a worker whose reported load is at or above this
# (`agents.target_load`).
FULL = 0.7
# An accepted call may take this long to open its session with AssemblyAI.
RECENT_SECONDS = 5.0

Limit = Callable[[int], int]
"""How many more calls fit, given how many were accepted within the last `RECENT_SECONDS`."""


class ActiveCalls(Protocol):
    """The worker, as far as admission needs it."""

    @property
    def active_jobs(self) -> Sequence[object]: ...

    def keep_ready(self, processes: int) -> None:
        """Keep this many processes waiting for a call."""


class Admission:
    """Accepts calls up to `capacity`, or fewer while load shedding is on or a limit says so."""

    def __init__(
        self,
        capacity: int,
        load_shedding: LoadShedding,
        *limits: Limit,
        role: AgentRole = AgentRole.ANSWERS,
    ) -> None:
        """Each agent shows its `role` in its room, so that others can find it."""
        self._role = role
        self._capacity = capacity
        self._load_shedding = load_shedding
        self._limits = limits
        self._accepted_at: list[float] = []
        self._accepting = 0
        self._closed = False
        self._pace = Pace(cores())

    @property
    def is_open(self) -> bool:
        """Whether calls are taken at all, if they fit."""
        return not self._closed

    def close(self) -> None:
        """Stop accepting calls, for good."""
        self._closed = True

    def load(self, worker: ActiveCalls) -> float:
        """The load to report: 0 when idle, `FULL` when no place is left."""
        calls = len(worker.active_jobs)
        places = self.places(calls)
        worker.keep_ready(places)
        if places <= 0:
            return FULL
        return FULL * (calls + self._accepting) / self._capacity

    def places(self, active_calls: int) -> int:
        """How many calls fit beside the active ones and those being accepted."""
        calls = active_calls + self._accepting
        # If this worker has no call, something else keeps the machine busy.
        if self._closed or (calls and self.is_busy):
            return 0
        since = time.monotonic() - RECENT_SECONDS
        recent = sum(at > since for at in self._accepted_at)
        return max(0, min([self._capacity - calls, *(limit(recent) for limit in self._limits)]))

    @property
    def wait_seconds(self) -> float:
        """How long the next call has to wait for those that begin."""
        now = time.monotonic()
        return self._pace.wait_seconds(self._load_shedding.cpu_used(now), now)

    @property
    def is_busy(self) -> bool:
        """Whether the machine has no time for another call beside those that it has."""
        return self._load_shedding.is_on or self.wait_seconds > LONGEST_WAIT_SECONDS

    def shortage(self, active_calls: int) -> Shortage | None:
        """What the next call would lack beside the active ones; None if there is a place, or if no
        calls are taken at all."""
        if self._closed or self.places(active_calls):
            return None
        if active_calls + self._accepting >= self._capacity:
            return "full"
        return "busy" if self.is_busy else "limited"

    async def decide(self, request: JobRequest, worker: ActiveCalls) -> None:
        """Accept the call, as soon as those that begin leave time for it, or leave it for another
        worker."""
        if not self.places(len(worker.active_jobs)):
            log.warning("refused a call: the worker is full", extra={"capacity": self._capacity})
            await request.reject(terminate=False)  # another worker may take it
            return
        self._accepting += 1
        wait_seconds = self.wait_seconds
        self._pace.begin()
        self._accepted_at = [*self._accepted_at[-self._capacity :], time.monotonic()]
        worker.keep_ready(self.places(len(worker.active_jobs)))
        try:
            if wait_seconds:
                await asyncio.sleep(wait_seconds)
            await request.accept(attributes={Attribute.ROLE: self._role})
        finally:
            self._accepting -= 1
