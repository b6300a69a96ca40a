"""Spoken calls: a real LiveKit server, real worker processes, callers over WebRTC.

Whatever a machine lacks for this fails the tests and is named; nothing is skipped. A call that
fails leaves its sound, its story and the logs in `artifacts/`.
"""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from pytest_asyncio import is_async_test

from agent.caller.caller import Caller
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.timeline import Samples
from workbench.local.calling.chronicle import chronicle
from workbench.local.calling.corpus import resampled
from workbench.local.leaks import leaks, said_to_models
from workbench.local.running import PROJECT
from workbench.local.standins_process import stand_ins
from workbench.local.workers import Places, Worker, own_livekit
from workbench.standins.engines.recognizer import Recognizer

ARTIFACTS = PROJECT / "artifacts"
_VISITS = itertools.count(1)
_FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.call)
            item.add_marker(pytest.mark.timeout(240))
            # Real time on shared cores: more tries, each of which the summary of the run names.
            item.add_marker(pytest.mark.flaky(reruns=2))
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


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Note a measured figure: it is shown at the end of the run, and decides nothing."""
    return partial(record_property, "figure")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def places(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Places]:
    """A LiveKit server and the stand-ins, for the whole run. After it no worker's log may hold a
    key, or what any caller of the run said."""
    logs = tmp_path_factory.mktemp("logs")
    async with own_livekit(logs) as server, stand_ins(logs / "stand-ins.log") as (stood_in, _):
        yield Places(server.access, stood_in, logs)
        said = said_to_models(await stood_in.received("openai/requests"))
        secrets = {server.access.api_secret, stood_in.openai_api_key, stood_in.assemblyai_api_key}
        written = {
            each.name: each.read_text("utf-8", errors="replace")
            for each in logs.glob("*.log")
            if each.name not in ("livekit.log", "stand-ins.log")  # they are no part of ours
        }
        assert not (found := leaks(written, secrets, said)), "\n".join(found)


StartWorker = Callable[..., Awaitable[Worker]]
Dial = Callable[..., Awaitable[Caller]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worker(places: Places) -> AsyncIterator[Worker]:
    """The worker that answers most calls; it has a name, or it would join every room."""
    async with Worker(places, "worker", {"AGENT_NAME": "worker"}).taking_calls() as worker:
        yield worker


@pytest_asyncio.fixture(loop_scope="session")
async def start_worker(
    places: Places, request: pytest.FixtureRequest
) -> AsyncIterator[StartWorker]:
    """Start a worker of the test's own, with settings of its own; it gets the test's name."""
    started: list[Worker] = []
    async with AsyncExitStack() as stack:

        async def start(*, verb: str = "", **settings: str) -> Worker:
            name = f"worker {len(started) + 1} of {request.node.name}"
            worker = Worker(places, name, {"AGENT_NAME": request.node.name, **settings}, verb)
            started.append(worker)
            return await stack.enter_async_context(worker.taking_calls())

        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def dial(places: Places, request: pytest.FixtureRequest) -> AsyncIterator[Dial]:
    """Call a worker, in a room of its own; what a failing test heard is kept.

    Without a worker, callers meet in a room and there is no agent. `metadata` are the call's own
    settings.
    """
    callers: dict[str, Caller] = {}
    numbers = itertools.count(1)
    # A second try must not meet what the first one left in its room.
    place = f"{request.node.name}-{next(_VISITS)}"
    async with AsyncExitStack() as stack:

        async def dial(worker: Worker | None = None, metadata: str = "") -> Caller:
            name = f"{place}-{next(numbers)}"
            room = name if worker else place
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
