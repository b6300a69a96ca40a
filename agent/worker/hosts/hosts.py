"""All processes of one worker that hold several calls each."""

import asyncio
import itertools
import logging
import socket
from functools import partial

from livekit.agents.ipc.job_executor import JobExecutor
from livekit.agents.ipc.proc_pool import ProcPool

from agent.livekit_private.jobs import PoolOptions, choose_by, options_of, seat, withdraw
from agent.tasks import Tasks
from agent.worker.hosts.choice import HostState, burden, host_for_seat, is_spent
from agent.worker.hosts.host import Host, HostSeat

log = logging.getLogger(__name__)

LOOK_SECONDS = 3.0

STUCK_SECONDS = 20.0
"""A process whose event loop stands still for longer is killed: its callers hear nothing, and get
another agent. LiveKit would kill it after 60 s."""


class Hosts:
    """Gives the jobs of LiveKit's pool seats in processes, in place of processes of their own."""

    def __init__(self, seats_each: int, hosts: int) -> None:
        """`hosts` processes hold `seats_each` calls each; while some end, there are more."""
        self._seats_each = seats_each
        self._wanted = hosts
        self._hosts: list[Host] = []
        self._host_of: dict[JobExecutor, Host] = {}
        self._numbers = itertools.count(1)
        self._closings = Tasks()
        self._pool: ProcPool | None = None
        self._limit_mb = 0.0

    def take_over(self, pool: ProcPool) -> None:
        """Seat all jobs of this pool, which has not started yet."""
        options = options_of(pool)
        self._pool, self._limit_mb = pool, options.memory_limit_mb
        if not options.makes_processes:
            return
        # LiveKit reads each callback's signature.
        pool.on("process_created", lambda executor: self._seat(options, executor))
        pool.on("process_job_launched", self._on_call)
        pool.on("process_closed", self._on_closed)
        choose_by(pool, self._burden)

    def _seat(self, options: PoolOptions, executor: JobExecutor) -> None:
        seat(executor, partial(self._make, options, executor))

    def _make(
        self,
        options: PoolOptions,
        executor: JobExecutor,
        messages: socket.socket,
        records: socket.socket,
    ) -> HostSeat:
        self._hosts = [each for each in self._hosts if not each.has_ended]
        states = [each.state for each in self._hosts]
        index = host_for_seat(states, self._seats_each, self._wanted)
        if index is None:
            self._hosts.append(Host(options, self._seats_each))
            index = -1
        host = self._hosts[index]
        self._host_of[executor] = host
        ends = (messages, records)
        return HostSeat(host, next(self._numbers), ends, lambda: executor.running_job is not None)

    def _burden(self, executor: JobExecutor) -> tuple[bool, float, int, int]:
        host = self._host_of.get(executor)
        return burden(host.state if host else HostState(0, 0))

    def _on_call(self, executor: JobExecutor) -> None:
        if host := self._host_of.get(executor):
            host.calls_held += 1

    def _on_closed(self, executor: JobExecutor) -> None:
        self._host_of.pop(executor, None)
        for host in self._hosts:
            if not host.is_open and not host.seats and not host.has_ended:
                host.close()

    async def watch(self) -> None:
        """Look after the processes until cancelled: end those that have grown or have held many
        calls, and kill those that stand still or take more memory than they may."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for host in self._hosts:
                if not host.has_ended:
                    await self._look(host)

    async def _look(self, host: Host) -> None:
        if host.late_seconds > STUCK_SECONDS:
            log.error("a process stands still", extra={"pid": host.pid})
            host.kill()
        if (memory_mb := await asyncio.to_thread(lambda: host.memory_mb)) is None:
            memory_mb = 0.0
        host.least_mb = min(host.least_mb, memory_mb)
        grown_mb = memory_mb - host.least_mb
        fields = {"pid": host.pid, "memory_mb": round(memory_mb), "calls_held": host.calls_held}
        limit_mb = self._limit_mb * self._seats_each
        if 0 < limit_mb < memory_mb:
            log.error("a process has exceeded the memory of its calls", extra=fields)
            host.kill()
        elif host.is_open and is_spent(host.calls_held, grown_mb, self._seats_each):
            log.info("a process takes no more calls, and another takes its place", extra=fields)
            host.is_open = False
        if not host.is_open:
            self._retire(host)

    def _retire(self, host: Host) -> None:
        """Give it no calls any more, and end it once it has none."""
        for executor, its_host in list(self._host_of.items()):
            if its_host is host and self._pool and withdraw(self._pool, executor):
                self._closings.start(executor.aclose(), name="empty seat")
        if not host.seats:
            host.close()

    async def aclose(self) -> None:
        """End all processes. Call it when the pool has closed."""
        for host in self._hosts:
            host.close()
        await asyncio.gather(*(asyncio.to_thread(each.wait) for each in self._hosts))
        await self._closings.aclose()
