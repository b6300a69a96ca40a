"""Spoken calls: a real LiveKit server, real worker processes, callers over WebRTC.

Whatever a machine lacks for this fails the tests and is named; nothing is skipped. A call that
fails leaves its sound, its story and the logs in `artifacts/`.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from pytest_asyncio import is_async_test

from workbench.caller import Caller
from workbench.conversation import chronicle
from workbench.corpus import resampled
from workbench.engines.recognizer import Recognizer
from workbench.livekit_binary import find_or_build
from workbench.livekit_server import Access, livekit_server
from workbench.microphone import SAMPLE_RATE
from workbench.processes import Command, Process
from workbench.providers import plan, worker_environment
from workbench.running import CACHE, PROJECT
from workbench.standins import StandIns, stand_ins
from workbench.timeline import Samples

ARTIFACTS = PROJECT / "artifacts"
GREETING = "Good morning, you have reached the lighthouse. How can I help you today?"
_OURS = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")
_FAILED = pytest.StashKey[bool]()
_FIGURES = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.call)
            item.add_marker(pytest.mark.timeout(240))
            # Real time on shared cores: a second try, which the summary of the run names.
            item.add_marker(pytest.mark.flaky(reruns=1))
            if is_async_test(item):
                # The servers' logs are read on the loop on which the tests run.
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if figures := config.stash.get(_FIGURES, []):
        terminalreporter.section("figures of the spoken calls")
        for line in figures:
            terminalreporter.write_line(line)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a measured figure: it is shown at the end of the run, and decides nothing."""
    return request.config.stash.setdefault(_FIGURES, []).append


@dataclass(frozen=True, slots=True)
class Places:
    """What every worker of these tests shares."""

    access: Access
    stand_ins: StandIns
    logs: Path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def places(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Places]:
    """A LiveKit server and the stand-ins, for the whole run."""
    logs = tmp_path_factory.mktemp("logs")
    program = await find_or_build(CACHE, print)
    async with (
        livekit_server(program, logs / "livekit.log") as livekit,
        stand_ins(logs / "stand-ins.log") as (stood_in, _),
    ):
        yield Places(livekit.access, stood_in, logs)


class Worker:
    """A worker process like any other, but for its greeting."""

    def __init__(
        self, places: Places, name: str, settings: dict[str, str], verb: str = "dev"
    ) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(_OURS)
        }
        told = worker_environment(environment, places.access, plan({}), places.stand_ins)
        told |= {
            "PYTHONUNBUFFERED": "1",
            "AGENT_GREETING": GREETING,
            "AGENT_INSTRUCTIONS_FILE": str(PROJECT / "agent/call/instructions.md"),
            "AGENT_LOG_FORMAT": "json",
            # Other tests keep the CPU busy.
            "AGENT_MAX_CPU_PERCENT": "100",
            # On a busy machine an answer may take longer than callers are left in silence.
            "AGENT_FILLER_SECONDS": "0",
            **settings,
        }
        self.access = places.access
        self.agent_name = told.get("AGENT_NAME", "")
        # Elsewhere than in the project: a developer's `.env` is not part of the tests.
        self.process = Process(
            Command(
                name,
                [sys.executable, str(PROJECT / "agent.py"), verb],
                places.logs / f"{name}.log",
                told,
                cwd=places.logs,
            )
        )

    async def registered(self) -> None:
        """Return once the worker takes calls."""
        await self.log_line("registered worker", timeout_seconds=60)

    async def log_line(self, *parts: str, timeout_seconds: float = 20) -> str:
        """The first log line, past or future, with all of these in it."""
        return await self.process.wait_for_line(
            lambda line: all(part in line for part in parts), timeout_seconds=timeout_seconds
        )


StartWorker = Callable[..., Awaitable[Worker]]
Dial = Callable[..., Awaitable[Caller]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worker(places: Places) -> AsyncIterator[Worker]:
    """The worker that answers most calls; it has a name, or it would join every room."""
    worker = Worker(places, "worker", {"AGENT_NAME": "worker"})
    async with worker.process:
        await worker.registered()
        yield worker


@pytest_asyncio.fixture(loop_scope="session")
async def start_worker(
    places: Places, request: pytest.FixtureRequest
) -> AsyncIterator[StartWorker]:
    """Start a worker of the test's own, with settings of its own; it gets the test's name."""
    started: list[Worker] = []
    async with AsyncExitStack() as stack:

        async def start(*, verb: str = "dev", **settings: str) -> Worker:
            name = f"worker {len(started) + 1} of {request.node.name}"
            worker = Worker(places, name, {"AGENT_NAME": request.node.name, **settings}, verb)
            started.append(worker)
            await stack.enter_async_context(worker.process)
            await worker.registered()
            return worker

        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def dial(places: Places, request: pytest.FixtureRequest) -> AsyncIterator[Dial]:
    """Call a worker, in a room of its own; what a failing test heard is kept.

    Without a worker, callers meet in a room and there is no agent. `metadata` are the call's own
    settings.
    """
    callers: dict[str, Caller] = {}
    async with AsyncExitStack() as stack:

        async def dial(worker: Worker | None = None, metadata: str = "") -> Caller:
            name = f"{request.node.name}-{len(callers) + 1}"
            room = name if worker else request.node.name
            agent_name = worker.agent_name if worker else ""
            joining = Caller.join(places.access, room, name, agent_name, metadata=metadata)
            callers[name] = await stack.enter_async_context(joining)
            return callers[name]

        yield dial
        if request.node.stash.get(_FAILED, False):
            directory = ARTIFACTS / request.node.name
            shutil.rmtree(directory, ignore_errors=True)
            shutil.copytree(places.logs, directory)
            for name, caller in callers.items():
                caller.write_wav(directory / f"{name}.wav")
                story = chronicle(caller)
                (directory / f"{name}.txt").write_text(story + "\n", encoding="utf-8")
                title = f"call, kept in {directory}"
                request.node.add_report_section("teardown", title, f"{name}\n{story}\n")


Understand = Callable[[Samples], Awaitable[str]]


@pytest.fixture(scope="session")
def understand() -> Understand:
    """Recognise the words in what was heard: mono, 48 kHz."""
    recognizer = Recognizer.load()

    def transcribe(samples: Samples) -> str:
        sound = resampled(samples, SAMPLE_RATE, 16_000).astype(np.float32) / 32768
        return recognizer.transcribe(sound)

    async def understand(samples: Samples) -> str:
        return await asyncio.to_thread(transcribe, samples)

    return understand
