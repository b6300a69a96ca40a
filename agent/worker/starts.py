"""Watches whether job processes can be started; while none can, the worker takes no calls.

LiveKit's pool replaces a failed process ten times a second, for ever. Here one process at a time is
tried, after growing pauses.
"""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from livekit.agents.ipc.job_executor import JobExecutor
from livekit.agents.ipc.proc_pool import EventTypes

log = logging.getLogger(__name__)

# Failed attempts in a row that count. A single process may have been killed by chance.
ATTEMPTS = 3
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
# A new worker may not have the fault: a folder under /tmp is gone, say, or the code.
HOPELESS_SECONDS = 60.0


class Pool(Protocol):
    """LiveKit's pool of job processes, as far as this module needs it."""

    def on(self, event: EventTypes, callback: Callable[[JobExecutor], None]) -> object:
        """Call this when a process is created, ready or closed, or has got its job."""

    @property
    def target_idle_processes(self) -> int:
        """How many processes are to wait for a job."""

    def set_target_idle_processes(self, num_idle_processes: int) -> None:
        """Keep this many processes waiting for a job."""


class Starts:
    """The starts of one worker's job processes. `now` gives seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pool: Pool | None = None
        self._wanted = 0
        self._starting: set[JobExecutor] = set()
        self._idle: set[JobExecutor] = set()
        self._failed = 0
        self._next_at = 0.0
        self._unable_since: float | None = None

    @property
    def are_failing(self) -> bool:
        """Whether no process can be started: calls would wait in vain."""
        return self._unable_since is not None

    @property
    def are_hopeless(self) -> bool:
        """Whether they have failed for more than `HOPELESS_SECONDS`: time for a new worker."""
        since = self._unable_since
        return since is not None and self._now() - since > HOPELESS_SECONDS

    def watch(self, pool: Pool) -> None:
        """Follow this pool's processes."""
        self._pool, self._wanted = pool, pool.target_idle_processes
        # LiveKit reads each callback's signature, and a set's own methods have none.
        pool.on("process_created", self._on_created)
        pool.on("process_ready", self._on_ready)
        pool.on("process_job_launched", self._on_taken)
        pool.on("process_closed", self._on_closed)

    def keep_ready(self, processes: int) -> None:
        """Keep this many waiting for a call; while starts fail, try one now and then."""
        self._wanted = processes
        self.try_again()

    def try_again(self) -> None:
        """Let the pool start what is missing, or one attempt if it is due; call once a second."""
        if self._pool is None:
            return
        if self._failed:
            one_more = self._now() >= self._next_at
            self._pool.set_target_idle_processes(len(self._idle) + one_more)
        else:
            self._pool.set_target_idle_processes(self._wanted)

    def _on_created(self, process: JobExecutor) -> None:
        self._starting.add(process)

    def _on_taken(self, process: JobExecutor) -> None:
        self._idle.discard(process)

    def _on_ready(self, process: JobExecutor) -> None:
        self._starting.discard(process)
        self._idle.add(process)
        self._failed = 0
        if self.are_failing:
            log.warning("job processes can be started again: taking calls")
        self._unable_since = None
        self.try_again()

    def _on_closed(self, process: JobExecutor) -> None:
        self._idle.discard(process)
        if process not in self._starting:
            return
        self._starting.discard(process)
        now = self._now()
        if now >= self._next_at:  # several failures of one attempt count once
            self._failed += 1
            pause_seconds = SHORTEST_PAUSE_SECONDS * 2 ** (self._failed - 1)
            self._next_at = now + min(pause_seconds, LONGEST_PAUSE_SECONDS)
        if self._failed >= ATTEMPTS and not self.are_failing:
            self._unable_since = now
            log.error("job processes cannot be started: taking no calls until they can")
        self.try_again()
