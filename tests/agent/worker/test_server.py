"""What a job process is like when its call comes."""

import asyncio
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from livekit.agents.utils.aio import Chan
from livekit.agents.utils.http_server import HttpServer
from livekit.protocol.agent import WorkerMessage, WorkerStatus
from livekit.protocol.models import ServerInfo
from livekit.rtc import EventEmitter

from agent.call.reports import Outcome, late, tried
from agent.loop_lag import Lag
from agent.worker.admission import FULL
from agent.worker.server import build_server
from agent.worker.starts import Starts
from config.load import load_settings
from workbench.local.running import PROJECT

KEYS = {
    "livekit": {"url": "ws://127.0.0.1", "api_key": "APIkey", "api_secret": "a-livekit-secret"},
    "assemblyai": {"api_key": "an-assemblyai-key"},
    "openai": {"api_key": "an-openai-key"},
}

# A worker is built, and a process forked as LiveKit does it; it tells what it found loaded.
FORKED = """
import multiprocessing
from agent.worker.server import PRELOADED, build_server
from config.load import load_settings

if __name__ == "__main__":
    key = {"api_key": "key"}
    livekit = {"url": "ws://127.0.0.1", "api_secret": "secret"} | key
    build_server(load_settings(None, given={"livekit": livekit, "assemblyai": key, "openai": key}))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    told = f"import sys; print({PRELOADED!r} in sys.modules, flush=True)"
    process = context.Process(target=exec, args=(told,))
    process.start()
    process.join()
"""


def test_job_processes_share_what_is_preloaded_wherever_the_worker_was_started(
    tmp_path: Path,
) -> None:
    (tmp_path / "forked.py").write_text(
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n{FORKED}"
    )
    forked = subprocess.run(
        [sys.executable, "forked.py"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert forked.stdout == "True\n"


@pytest.mark.usefixtures("_restored_logging")
async def test_livekit_is_told_at_once_that_a_call_has_ended() -> None:
    """Otherwise it takes the worker for full for up to 2.5 s more, and callers wait that long."""
    worker = build_server(load_settings(None, given={**KEYS, "agent": {"max_calls": 1}}))
    messages = worker._msg_chan = Chan[WorkerMessage]()
    worker._connecting = worker._devmode = worker._simulation = False
    worker._reserved_slots, worker._previous_status = 0, WorkerStatus.WS_AVAILABLE
    pool: Any = OneProcess()
    worker._proc_pool = pool
    await worker._refresh_worker_load()
    await worker._update_worker_status()
    assert (await messages.recv()).update_worker.load == pytest.approx(FULL)
    pool.processes.clear()
    pool.emit("process_closed", None)
    assert (await messages.recv()).update_worker.load == 0
    worker._draining = True
    messages.close()
    await worker.tell_load()  # the last processes close behind the connection: nobody is told


@pytest.mark.usefixtures("_restored_logging")
async def test_the_pages_say_how_the_worker_is_from_its_start_until_it_leaves() -> None:
    worker = build_server(load_settings(None, given={**KEYS, "agent": {"max_calls": 2}}))
    minutes = itertools.count(step=60)
    worker.starts = Starts(now=lambda: next(minutes))
    pool: Any = OneProcess()
    worker._proc_pool = pool
    worker._connecting = worker._draining = False
    page = worker._http_server = HttpServer("127.0.0.1", 0)

    async def told(path: str = "/readyz") -> tuple[int, str]:
        async with client.get(path) as answer:
            return answer.status, (await answer.text()).strip()

    async with TestClient(TestServer(page.app)) as client:
        assert await told() == (503, "not ready: not registered with LiveKit")
        worker.emit("worker_registered", "AW_1", ServerInfo())
        assert await told() == (200, "ready (places free: 1, calls: 1)")
        worker._connecting = True  # LiveKit's server is away
        assert await told() == (503, "not ready: not registered with LiveKit")
        worker._connecting = False
        for each in ("a process", "another", "a third"):
            pool.emit("process_created", each)
            pool.emit("process_closed", each)
        assert await told() == (503, "not ready: job processes cannot be started")
        assert (await told("/livez"))[0] == 200  # a restart would end its call
        pool.processes.clear()
        assert (await told("/livez"))[0] == 503
        pool.emit("process_ready", "a fourth")
        assert await told("/livez") == (200, "alive")
        assert await told() == (200, "ready (places free: 2, calls: 0)")
        worker.admission.close()
        assert await told() == (503, "not ready: draining: it takes no more calls")
        assert (await told("/livez"))[0] == 200


@pytest.mark.usefixtures("_restored_logging")
async def test_what_calls_tell_of_their_tries_decides_whether_a_provider_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = itertools.count(1000.0)
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    worker = build_server(load_settings(None, given={**KEYS, "agent": {"max_calls": 2}}))
    pool: Any = OneProcess()
    worker._proc_pool = pool
    with worker.tally.listening():
        for _ in range(4):
            worker.tally.sender(tried("llm", Outcome.BUSY))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert worker.health.providers_down == ("llm",)
        worker.tally.sender(tried("llm", Outcome.ANSWERED))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert worker.health.providers_down == ()


@pytest.mark.usefixtures("_restored_logging")
async def test_how_late_calls_run_reaches_the_brake() -> None:
    worker = build_server(load_settings(None, given=KEYS))
    with worker.tally.listening():
        worker.tally.sender(late(7, 2, Lag(0.25, 0.5)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert worker.load_shedding.lags.typical(time.monotonic()) == 0.25


class OneProcess(EventEmitter[Any]):
    """LiveKit's pool while its only process has a call."""

    target_idle_processes = 1

    def __init__(self) -> None:
        super().__init__()
        self.processes = [SimpleNamespace(running_job="a call")]

    def set_target_idle_processes(self, number: int) -> None: ...
