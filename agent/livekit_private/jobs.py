"""LiveKit's private parts that let several jobs share a process: its pool's executors in the
worker, its job runner and its log's ends in the process that holds the jobs.

LiveKit's pool makes a process for each job and supervises it. Here the executor keeps all of that,
and what it takes for a process is a seat in one.
"""

import asyncio
import contextlib
import logging
import multiprocessing.context
import socket
import sys
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol

from livekit.agents import JobContext, JobExecutorType, JobProcess, utils
from livekit.agents.ipc import job_proc_lazy_main
from livekit.agents.ipc.job_executor import JobExecutor
from livekit.agents.ipc.log_queue import LogQueueHandler, LogQueueListener
from livekit.agents.ipc.proc_client import _ProcClient
from livekit.agents.ipc.proc_pool import ProcPool
from livekit.agents.telemetry import loop_monitor
from livekit.agents.telemetry.traces import _resource

LEAVING_SECONDS = 2.0
"""How long a room may take to be left when its job was cut off."""


@dataclass(frozen=True, slots=True)
class JobFunctions:
    """What LiveKit's pool gives each of its processes; it can be passed to a new process."""

    setup: Callable[[JobProcess], Any]
    entrypoint: Callable[[JobContext], Awaitable[None]]
    session_end: Callable[[JobContext], Awaitable[None]] | None
    simulation_end: Callable[[Any], Any] | None
    session_end_seconds: float
    http_proxy: str | None


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """What else a pool was told about its processes."""

    makes_processes: bool
    """Otherwise it makes threads, for the console."""
    functions: JobFunctions
    context: multiprocessing.context.BaseContext
    memory_warn_mb: float
    memory_limit_mb: float
    """Of one job; 0: none."""


def options_of(pool: ProcPool) -> PoolOptions:
    """What a pool would make its processes from."""
    functions = JobFunctions(
        pool._initialize_process_fnc,
        pool._job_entrypoint_fnc,
        pool._session_end_fnc,
        pool._simulation_end_fnc,
        pool._session_end_timeout,
        pool._http_proxy,
    )
    return PoolOptions(
        pool._job_executor_type is JobExecutorType.PROCESS,
        functions, pool._mp_ctx, memory_warn_mb=pool._memory_warn_mb,
        memory_limit_mb=pool._memory_limit_mb,
    )  # fmt: skip


class Seat(Protocol):
    """What an executor takes for its process: the methods of `multiprocessing.Process`."""

    @property
    def pid(self) -> int | None: ...

    @property
    def exitcode(self) -> int | None: ...

    def start(self) -> None:
        """Begin; called in a thread."""

    def join(self) -> None:
        """Return when it has ended; called in a thread."""

    def is_alive(self) -> bool: ...

    def kill(self) -> None:
        """End it without waiting for it."""

    def close(self) -> None:
        """It has ended and is needed no more."""


def seat(executor: JobExecutor, make: Callable[[socket.socket, socket.socket], Seat]) -> None:
    """Let this executor's job run in what `make` makes of its two sockets (for messages, for the
    log), not in a process of its own. Call it before the executor starts."""
    seated: Any = executor

    async def kill() -> None:
        # LiveKit would send SIGUSR1 to the process, which ends the neighbours as well.
        if seated._proc.is_alive():
            seated._proc.kill()
        seated._kill_sent = True

    seated._create_process = make
    seated._send_kill_signal = kill
    # The seats of a process would each measure it, and kill it for what all use together.
    seated._opts.memory_warn_mb = seated._opts.memory_limit_mb = 0


class BestFirst(asyncio.Queue[JobExecutor]):
    """Gives the item with the least `badness` first, as it is at that moment."""

    def __init__(self, badness: Callable[[JobExecutor], Any]) -> None:
        super().__init__()
        self._badness = badness

    def _get(self) -> JobExecutor:
        waiting: Any = self._queue  # type: ignore[attr-defined]  # as `asyncio.PriorityQueue` does
        best: JobExecutor = min(waiting, key=self._badness)
        waiting.remove(best)
        return best


def choose_by(pool: ProcPool, badness: Callable[[JobExecutor], Any]) -> None:
    """Let the pool give each job to the waiting executor with the least `badness`; by itself it
    takes the one that has waited longest. Call it before the pool starts."""
    pool._warmed_proc_queue = BestFirst(badness)


def withdraw(pool: ProcPool, executor: JobExecutor) -> bool:
    """Give this executor no job any more, if it waits for one. Whether it did; the pool replaces
    it."""
    waiting: Any = pool._warmed_proc_queue
    is_waiting = executor in waiting._queue
    if is_waiting:
        pool._remove_from_warmed_queue(executor)
    return is_waiting


def log_listener(end: socket.socket, prepare: Callable[[logging.LogRecord], None]) -> Any:
    """Takes the records that arrive here into this process' log. Has `start` and `stop`."""
    return LogQueueListener(utils.aio.duplex_unix._Duplex.open(end), prepare)


def log_sender(end: socket.socket) -> logging.Handler:
    """Sends records to a `log_listener`, from a thread that ends when it is closed."""
    return LogQueueHandler(utils.aio.duplex_unix._Duplex.open(end))


def prepare_process(functions: JobFunctions) -> JobProcess:
    """Prepare this process for its jobs, as LiveKit does for one. Raises what `setup` raises."""
    process = JobProcess(
        executor_type=JobExecutorType.THREAD, user_arguments=None, http_proxy=functions.http_proxy
    )
    from livekit.agents.ipc import _preload  # noqa: F401 - where there is no fork server

    _resource({})  # starts and joins threads; once for each process
    functions.setup(process)
    return process


class HostedJob:
    """LiveKit's runner of one job, on the running event loop beside others."""

    def __init__(
        self,
        functions: JobFunctions,
        messages: socket.socket,
        share: Callable[[JobProcess], object],
    ) -> None:
        """`messages`: LiveKit's channel to the executor. `share` prepares the job's `userdata`."""
        self._messages = messages
        self._job = job_proc_lazy_main._JobProc(
            share,
            functions.entrypoint,
            functions.session_end,
            session_end_timeout=functions.session_end_seconds,
            # Its log fields are then those of the running task's job, not of the process.
            executor_type=JobExecutorType.THREAD,
            simulation_end_fnc=functions.simulation_end,
        )
        self._client = _ProcClient(messages, None, self._job.initialize, self._job.entrypoint)

    @property
    def has_call(self) -> bool:
        """Whether its job has begun."""
        return self._job.has_running_job

    async def run(self) -> None:
        """Wait for a job, hold it, end with it. Raises what the preparation raises."""
        await _readable(self._messages)
        # The whole request is there, or follows at once.
        self._client.initialize()
        await self._client._monitor_task()

    def close(self) -> None:
        """Close its channel, if that is still open."""
        self._messages.close()

    async def leave_room(self) -> bool:
        """Leave the room that a job which was cut off is still in. Whether that succeeded."""
        room = getattr(self._job, "_room", None)
        if room is None or not room.isconnected():
            return True
        with contextlib.suppress(Exception):
            await asyncio.wait_for(room.disconnect(), LEAVING_SECONDS)
        return not room.isconnected()


async def _readable(end: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(end.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(end.fileno())


def context_running_in(thread: int) -> Context | None:
    """The context of what an event loop's thread runs at this moment; None if that cannot be
    found. Asyncio does not tell it: the innermost handle on the thread's stack has it."""
    frame = sys._current_frames().get(thread)
    while frame:
        if frame.f_code is asyncio.Handle._run.__code__:
            found: Context = frame.f_locals["self"]._context
            return found
        frame = frame.f_back
    return None


def watch_blocks(loop: asyncio.AbstractEventLoop) -> None:
    """Let LiveKit report whatever blocks this loop, each block in the context that it was in.

    LiveKit takes the context of the job that has begun last for that of all blocks.
    """
    monitor: Any = loop_monitor.start_monitoring(loop, name="job")
    if monitor is None:  # turned off
        return
    sample = monitor._sample_loop_thread

    def sampled(lag: float) -> Any:
        monitor._report_context = context_running_in(monitor._loop_thread_ident)
        return sample(lag)

    monitor._sample_loop_thread = sampled
    monitor.set_report_context = lambda _: None
