"""Jobs that do as they are told, in processes of several, over LiveKit's own pool."""

import asyncio
import json
import logging
import multiprocessing
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from livekit.agents import JobContext, JobExecutorType, JobProcess
from livekit.agents.ipc.job_proc_executor import ProcJobExecutor
from livekit.agents.ipc.proc_pool import ProcPool
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol.agent import Job
from livekit.protocol.models import Room

from agent.call.endings import count_as_failed
from agent.tasks import OwnedTask
from agent.worker.hosts.hosts import Hosts

log = logging.getLogger("agent.jobs")


class Parts:
    """What a call changes."""

    def __init__(self) -> None:
        self.made_for = 0
        self.others = 0

    def again(self) -> "Parts":
        self.others += 1
        made = Parts()
        made.made_for = self.others
        return made


def prepare(process: JobProcess) -> None:
    logging.getLogger("agent").setLevel(logging.INFO)
    process.userdata.update(prepared_in=os.getpid(), parts=Parts(), outlets=[Parts()], kept=[])


async def hold(job: JobContext) -> None:
    """Does what the job's metadata say, tells what it sees, and ends unless it is to stay."""
    do = json.loads(job.job.metadata)
    data = job.proc.userdata
    job.log_context_fields = {"caller": job.job.id}
    data["kept"].append(job.job.id)
    fields = {
        "prepared_in": data["prepared_in"],
        "made_for": data["parts"].made_for,
        "outlet_for": data["outlets"][0].made_for,
        "kept": data["kept"],
    }
    await asyncio.to_thread(log.info, "here", extra=fields)
    if do.get("fail"):
        count_as_failed()
    if do.get("block"):
        time.sleep(do["block"])  # noqa: ASYNC251 - as a faulty tool does
    if do.get("leave"):
        asyncio.get_running_loop().create_task(asyncio.sleep(1000), name="forgotten")
    if do.get("stay"):
        return
    job.shutdown()


async def stubborn(job: JobContext) -> None:
    """Does not end when it is told to."""
    await hold(job)
    if "stubborn" in json.loads(job.job.metadata):
        job.add_shutdown_callback(_never)


async def _never() -> None:
    await asyncio.sleep(1000)


def info(number: int, **do: object) -> RunningJobInfo:
    room = Room(name=f"room {number}", sid=f"RM_{number}")
    return RunningJobInfo(
        accept_arguments=JobAcceptArguments(name="", identity="agent", metadata=""),
        job=Job(id=f"AJ_{number}", room=room, metadata=json.dumps(do)),
        url="ws://127.0.0.1",
        token="",
        worker_id="AW_1",
        fake_job=False,
    )


@asynccontextmanager
async def _house(
    seats_each: int, hosts: int, setup: Any = prepare, memory_limit_mb: float = 0
) -> AsyncIterator[ProcPool]:
    """LiveKit's pool, as its worker makes it, whose jobs have seats in processes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    pool = ProcPool(
        initialize_process_fnc=setup,
        job_entrypoint_fnc=stubborn,
        session_end_fnc=None,
        simulation_end_fnc=None,
        num_idle_processes=seats_each * hosts,
        initialize_timeout=20,
        close_timeout=1,
        session_end_timeout=5,
        inference_executor=None,
        job_executor_type=JobExecutorType.PROCESS,
        mp_ctx=context,
        memory_warn_mb=0,
        memory_limit_mb=memory_limit_mb,
        http_proxy=None,
        loop=asyncio.get_running_loop(),
    )
    made = Hosts(seats_each, hosts)
    made.take_over(pool)
    await pool.start()
    pool.set_target_idle_processes(0)  # as the worker's admission does for each call
    async with OwnedTask(made.watch(), name="watch"):
        yield pool
    await pool.aclose()
    await made.aclose()


async def _started(pool: ProcPool, number: int, **do: object) -> ProcJobExecutor:
    await pool.launch_job(info(number, **do))
    found: Any = pool.get_by_job_id(f"AJ_{number}")
    return found


class Lines:
    """What arrives in the worker's log of the jobs."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    async def here(self, number: int) -> Any:
        """The line of this job, which has its name."""
        for _ in range(500):
            for record in self._caplog.records:
                if (
                    record.getMessage() == "here"
                    and getattr(record, "job_id", "") == f"AJ_{number}"
                ):
                    return record
            await asyncio.sleep(0.01)
        raise AssertionError(f"no line of job {number}")

    async def said(self, message: str, job: int | None = None) -> Any:
        """The first line with this message, of a job if one is named."""
        for _ in range(500):
            for each in self._caplog.records:
                is_its = job is None or vars(each).get("job_id") == f"AJ_{job}"
                if each.getMessage() == message and is_its:
                    return each
            await asyncio.sleep(0.01)
        raise AssertionError(f"nobody said {message!r}")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    caplog.set_level(logging.INFO)
    return Lines(caplog)


@pytest.fixture
def house() -> Callable[..., AbstractAsyncContextManager[ProcPool]]:
    """Opens a pool for jobs: `house(seats_each, hosts)`."""
    return _house


@pytest.fixture
def started() -> Callable[..., Any]:
    """Starts a job, and gives its executor: `started(pool, number, **what it does)`."""
    return _started
