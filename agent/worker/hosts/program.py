"""The process that holds several calls, on one event loop.

It is prepared once. What calls could share by accident is made for each of them: the context with
its log, the parts that a call changes, the failure that is counted.
"""

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

from livekit.agents import JobProcess
from livekit.agents.telemetry import loop_monitor

from agent.call.endings import failures_here
from agent.livekit_private.jobs import (
    HostedJob,
    JobFunctions,
    prepare_process,
    watch_blocks,
)
from agent.redaction import remember_apart
from agent.telemetry import exporting
from agent.worker.hosts.log_routes import LogRoute, Routed
from agent.worker.hosts.messages import (
    LONGEST_BYTES,
    CutOff,
    Ended,
    Late,
    Message,
    Open,
    Ready,
    packed,
    unpacked,
)
from agent.worker.hosts.standstill import Standstill, StandstillWatch

log = logging.getLogger(__name__)

ENDING_SECONDS = 2.0
"""How long what a call has left behind may take to end."""

ORPHAN_SECONDS = 15.0
"""How long calls may go on to their end when the worker is gone."""

THREADS_PER_CALL = 4
"""Each call's voice detection, files and tools run in threads at times."""


@dataclass(frozen=True, slots=True)
class HostStart:
    """What such a process is started with."""

    functions: JobFunctions
    control: socket.socket
    log: socket.socket
    levels: dict[str, int]
    seats: int


@runtime_checkable
class Shareable(Protocol):
    """Prepared parts of a call that know which of them several calls may share."""

    def again(self) -> "Shareable":
        """The same for another call in this process."""


_here: ContextVar[LogRoute] = ContextVar("log_route")
_seat: ContextVar[int] = ContextVar("seat")


def host_main(start: HostStart) -> None:
    """Run until the worker closes its end and the last call has ended."""
    for name, level in start.levels.items():
        logging.getLogger(name).setLevel(level)
    own = LogRoute(start.log)
    logging.getLogger().handlers[:] = [Routed(own, _here)]
    try:
        process = prepare_process(start.functions)
        _run(_Host(start, process.userdata), start.seats)
    except Exception:
        log.exception("a process for calls has a fault")
    finally:
        own.close()


def _run(host: "_Host", seats: int) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(THREADS_PER_CALL * seats))
    watch_blocks(loop)
    try:
        loop.run_until_complete(host.run())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop_monitor.stop_monitoring(loop)
        asyncio.set_event_loop(None)
        loop.close()


@dataclass(frozen=True, slots=True)
class _Seat:
    job: HostedJob
    task: asyncio.Task[None]
    context: Context


class _Host:
    def __init__(self, start: HostStart, userdata: dict[Any, Any]) -> None:
        self._start = start
        self._control = start.control
        self._userdata = userdata
        self._seats: dict[int, _Seat] = {}
        self._is_closing = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._control.setblocking(False)
        loop.add_reader(self._control.fileno(), self._read)
        self._tell(Ready())
        watch = StandstillWatch(lambda seconds: self._tell(Late(seconds)), self._on_standstill)
        await self._is_closing.wait()
        loop.remove_reader(self._control.fileno())
        if self._seats:
            tasks = [each.task for each in self._seats.values()]
            await asyncio.wait(tasks, timeout=ORPHAN_SECONDS)
        watch.stop()
        await _ended(asyncio.all_tasks() - {asyncio.current_task()})

    def _read(self) -> None:
        try:
            datagram, ends, _, _ = socket.recv_fds(self._control, LONGEST_BYTES, 2)
        except BlockingIOError:
            return
        except OSError:
            datagram, ends = b"", []
        if not datagram:
            self._is_closing.set()
            return
        match unpacked(datagram):
            case Open(seat):
                messages, records = (socket.socket(fileno=each) for each in ends)
                self._open(seat, messages, LogRoute(records))
            case CutOff(seat) if seat in self._seats:
                self._seats[seat].task.cancel()

    def _open(self, seat: int, messages: socket.socket, route: LogRoute) -> None:
        job = HostedJob(self._start.functions, messages, partial(_share, self._userdata))
        context = copy_context()
        holding = self._hold(seat, job, route)
        task = asyncio.get_running_loop().create_task(holding, context=context)
        self._seats[seat] = _Seat(job, task, context)

    async def _hold(self, seat: int, job: HostedJob, route: LogRoute) -> None:
        _seat.set(seat)
        _here.set(route)
        failures = failures_here()
        remember_apart()
        exitcode, is_clean = 1, False
        try:
            try:
                await job.run()
                exitcode = min(len(failures), 1)
            except Exception:  # of LiveKit's runner: it takes only its own call
                log.exception("a call's seat failed")
            finally:
                is_clean = await job.leave_room()
                is_clean &= await _ended(_tasks_of(seat))
                exporting.send_now()
        finally:
            job.close()
            route.close()
            del self._seats[seat]
            self._tell(Ended(seat, exitcode, is_clean))

    def _on_standstill(self, over: Standstill) -> None:
        """Tell whose call held up the others, in its own log lines and in theirs."""
        self._tell(Late(0))
        by = over.context.get(_seat) if over.context else None
        if by is None:
            return
        calls = {number: each for number, each in self._seats.items() if each.job.has_call}
        fields = {"seconds": round(over.seconds, 1), "calls": len(calls)}
        for number, each in calls.items():
            if number == by:
                said = "a call has blocked the event loop of its process, and so its neighbours"
                each.context.run(log.warning, said, extra=fields)
            else:
                said = "another call has blocked the event loop of this one's process"
                each.context.run(log.warning, said, extra=fields)

    def _tell(self, message: Message) -> None:
        with contextlib.suppress(OSError):  # the worker is gone
            self._control.send(packed(message))


def _share(prepared: dict[Any, Any], process: JobProcess) -> None:
    """Give a call what the process has prepared; what a call changes it gets for itself."""
    for name, value in prepared.items():
        process.userdata[name] = _own(value)


def _own(value: Any) -> Any:
    if isinstance(value, Shareable):
        return value.again()
    return [_own(each) for each in value] if isinstance(value, list) else value


def _tasks_of(seat: int) -> list[asyncio.Task[Any]]:
    """The tasks that a seat's call has left behind."""
    running = asyncio.current_task()
    return [
        task
        for task in asyncio.all_tasks()
        if task is not running and (context := context_of(task)) and context.get(_seat) == seat
    ]


def context_of(task: asyncio.Task[Any]) -> Context | None:
    """The context in which a task runs. Python 3.11 has no method for it."""
    return next((each for each in gc.get_referents(task) if isinstance(each, Context)), None)


async def _ended(tasks: Collection[asyncio.Task[Any]]) -> bool:
    """Cancel these. Whether all have ended within `ENDING_SECONDS`."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return True
    _, left = await asyncio.wait(tasks, timeout=ENDING_SECONDS)
    for task in left:
        log.warning("a task goes on though its call is over", extra={"task": task.get_name()})
    return not left
