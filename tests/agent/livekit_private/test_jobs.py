"""What several jobs in one process stand on in LiveKit, and what breaks without it."""

import asyncio
import importlib
import inspect
import re
import sys
import threading
from contextvars import Context, ContextVar
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import JobProcess, utils
from livekit.agents.ipc import job_proc_lazy_main, supervised_proc
from livekit.agents.ipc.job_proc_executor import ProcJobExecutor
from livekit.agents.ipc.proc_client import _ProcClient
from livekit.agents.ipc.proc_pool import ProcPool
from livekit.agents.job import JobExecutorType
from livekit.agents.telemetry.loop_monitor import EventLoopMonitor, get_monitor, stop_monitoring

from agent.livekit_private.jobs import (
    JobFunctions,
    choose_by,
    context_running_in,
    options_of,
    prepare_process,
    seat,
    watch_blocks,
    withdraw,
)

SHARED = "with AGENT_CALLS_PER_PROCESS above 1, "
NO_CALL = SHARED + "no call would begin"
PARTS: list[tuple[Any, str, str]] = [
    (ProcPool, "_initialize_process_fnc", NO_CALL),
    (ProcPool, "_job_entrypoint_fnc", NO_CALL),
    (ProcPool, "_session_end_fnc", NO_CALL),
    (ProcPool, "_simulation_end_fnc", NO_CALL),
    (ProcPool, "_session_end_timeout", NO_CALL),
    (ProcPool, "_http_proxy", NO_CALL),
    (ProcPool, "_job_executor_type", NO_CALL),
    (ProcPool, "_mp_ctx", NO_CALL),
    (ProcPool, "_memory_warn_mb", SHARED + "no process would be told to be large"),
    (ProcPool, "_memory_limit_mb", SHARED + "no limit of memory would hold"),
    (ProcPool, "_warmed_proc_queue", SHARED + "calls would go to processes that stand still"),
    (asyncio.Queue, "_queue", SHARED + "calls would go to processes that stand still"),
    (ProcPool, "_remove_from_warmed_queue", SHARED + "a process that is to end would get calls"),
    (ProcJobExecutor, "_create_process", SHARED + "each would have its own process all the same"),
    (ProcJobExecutor, "_send_kill_signal", SHARED + "one that hangs would end its neighbours"),
    (supervised_proc.SupervisedProc, "_kill_sent", SHARED + "one cut off would log an error twice"),
    (supervised_proc.SupervisedProc, "_proc", SHARED + "one that hangs would stay"),
    (supervised_proc.SupervisedProc, "_opts", SHARED + "each would measure the whole process"),
    (utils.aio.duplex_unix, "_Duplex", SHARED + "no log line of a call would arrive"),
    (job_proc_lazy_main, "_JobProc", NO_CALL),
    (job_proc_lazy_main._JobProc, "_room", SHARED + "the agent of one cut off would stay there"),
    (importlib.import_module("livekit.agents.ipc.proc_client"), "_ProcClient", NO_CALL),
    (_ProcClient, "_monitor_task", NO_CALL),
    (importlib.import_module("livekit.agents.telemetry.traces"), "_resource", NO_CALL),
    (importlib.import_module("livekit.agents.ipc._preload"), "_step", SHARED + "the first is slow"),
    (EventLoopMonitor, "_sample_loop_thread", SHARED + "the wrong one would be told to block"),
    (EventLoopMonitor, "_report_context", SHARED + "the wrong one would be told to block"),
    (EventLoopMonitor, "_loop_thread_ident", SHARED + "the wrong one would be told to block"),
    (sys, "_current_frames", SHARED + "nobody would know which one blocks"),
    (asyncio.Handle, "_run", SHARED + "nobody would know which one blocks"),
    (asyncio.Handle, "_context", SHARED + "nobody would know which one blocks"),
]  # fmt: skip
MODULES = ("_preload",)


def has(owner: Any, name: str) -> bool:
    return hasattr(owner, name) or (
        not inspect.ismodule(owner)
        and re.search(rf"\bself\.{name}\b", inspect.getsource(owner)) is not None
    )


@pytest.mark.parametrize(("owner", "name", "feature"), PARTS, ids=[name for _, name, _ in PARTS])
def test_livekit_has_the_part(owner: Any, name: str, feature: str) -> None:
    assert has(owner, name), f"{owner.__name__} has no {name} any more: {feature}."
    assert not has(owner, f"{name}_of_yesterday")


@pytest.mark.parametrize("name", MODULES)
def test_livekit_has_the_module(name: str) -> None:
    assert importlib.import_module(f"livekit.agents.ipc.{name}")


def test_an_executor_takes_no_more_of_its_process_than_a_seat_has() -> None:
    used = set(re.findall(r"self\._proc\.(\w+)", inspect.getsource(supervised_proc)))
    seat_has = {"start", "join", "pid", "exitcode", "is_alive", "kill", "close"}
    # Only Windows terminates.
    assert used - seat_has == {"terminate"}, "with AGENT_CALLS_PER_PROCESS calls would not end"


async def test_the_pool_gives_a_job_to_the_best_executor_and_tells_how_it_makes_them() -> None:
    pool = ProcPool(
        initialize_process_fnc=len,
        job_entrypoint_fnc=cast("Any", max),
        session_end_fnc=None,
        simulation_end_fnc=None,
        num_idle_processes=2,
        initialize_timeout=1,
        close_timeout=1,
        session_end_timeout=3,
        inference_executor=None,
        job_executor_type=JobExecutorType.THREAD,
        mp_ctx=cast("Any", "context"),
        memory_warn_mb=100,
        memory_limit_mb=200,
        http_proxy="http://proxy",
        loop=asyncio.get_running_loop(),
    )
    options = options_of(pool)
    functions = JobFunctions(len, cast("Any", max), None, None, 3, "http://proxy")
    assert options.functions == functions
    assert (options.memory_warn_mb, options.memory_limit_mb) == (100, 200)
    assert not options.makes_processes
    worst, best = cast("Any", ["worst"]), cast("Any", ["best"])
    assert has(asyncio.Queue, "_get"), "calls would go to processes that stand still"
    choose_by(pool, lambda each: each == ["worst"])
    pool._warmed_proc_queue.put_nowait(worst)
    pool._warmed_proc_queue.put_nowait(best)
    assert pool._warmed_proc_queue.get_nowait() is best
    assert withdraw(pool, worst)
    assert not withdraw(pool, worst)
    assert pool._warmed_proc_queue.empty()


def test_a_process_is_prepared_once_and_its_jobs_name_their_own_calls_in_the_log() -> None:
    def setup(process: JobProcess) -> None:
        process.userdata["prepared"] = True

    process = prepare_process(JobFunctions(setup, cast("Any", max), None, None, 1, "http://proxy"))
    assert process.userdata == {"prepared": True}
    assert process.http_proxy == "http://proxy"
    assert process.executor_type is JobExecutorType.THREAD


async def test_a_seat_is_killed_without_a_signal_to_its_process() -> None:
    killed = []

    class Killed:
        def is_alive(self) -> bool:
            return not killed

        def kill(self) -> None:
            killed.append(True)

    executor = cast("Any", type("Executor", (), {}))()
    executor._opts = type("Opts", (), {"memory_warn_mb": 1, "memory_limit_mb": 1})()
    executor._proc = Killed()
    seat(executor, cast("Any", "make"))
    await executor._send_kill_signal()
    await executor._send_kill_signal()
    assert (killed, executor._kill_sent, executor._create_process) == ([True], True, "make")
    assert executor._opts.memory_warn_mb == executor._opts.memory_limit_mb == 0


async def test_a_room_that_was_never_joined_counts_as_left() -> None:
    assert not rtc.Room().isconnected()


WHO: ContextVar[str] = ContextVar("who")


async def test_the_context_of_what_a_loop_runs_is_found_from_another_thread() -> None:
    found: list[Context | None] = []
    thread = threading.get_ident()

    async def call() -> None:
        WHO.set("Emma")
        looking = threading.Thread(target=lambda: found.append(context_running_in(thread)))
        looking.start()
        looking.join()

    await asyncio.create_task(call())
    (context,) = found
    assert context
    assert context[WHO] == "Emma"
    assert context_running_in(0) is None


async def test_livekit_reports_a_block_in_the_context_that_it_was_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setenv("LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS", "10000")
    monkeypatch.setenv("LIVEKIT_AGENTS_LOOP_BLOCK_ERROR_MS", "10000")
    watch_blocks(loop)
    try:
        monitor: Any = get_monitor(loop)
        await asyncio.sleep(0.05)
        monitor.set_report_context(Context())
        assert monitor._report_context is None
        WHO.set("Emma")
        sample = await asyncio.to_thread(monitor._sample_loop_thread, 1.0)
        assert sample.lag == 1.0
    finally:
        stop_monitoring(loop)


def test_livekit_watches_nothing_where_that_is_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS", "0")
    loop = asyncio.new_event_loop()
    watch_blocks(loop)
    assert get_monitor(loop) is None
    loop.close()
