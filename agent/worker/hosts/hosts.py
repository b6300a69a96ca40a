"""All processes of one worker that hold several calls each."""

import asyncio
import itertools
import logging
import socket
from functools import partial

from livekit.agents.ipc.job_executor import JobExecutor
from livekit.agents.ipc.proc_pool import ProcPool

from agent.livekit_private.jobs import PoolOptions, choose_by, options_of, seat
from agent.tasks import Tasks
from agent.worker.hosts.choice import HostState, burden, host_for_seat
from agent.worker.hosts.host import Host, HostSeat

log = logging.getLogger(__name__)


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

    def take_over(self, pool: ProcPool) -> None:
        """Seat all jobs of this pool, which has not started yet."""
        options = options_of(pool)
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

    async def aclose(self) -> None:
        """End all processes. Call it when the pool has closed."""
        for host in self._hosts:
            host.close()
        await asyncio.gather(*(asyncio.to_thread(each.wait) for each in self._hosts))
        await self._closings.aclose()
