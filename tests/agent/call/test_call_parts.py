"""The parts of a call, as they are put together: for a call of one's own, and for another's."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import JobContext

from agent.call.call_parts import CallParts
from agent.call.endings import Ending
from agent.call.session import SessionParts, prepare_parts
from workbench.local.sample_settings import sample_settings
from workbench.standins.scripted_room import ScriptedRoom

pytestmark = pytest.mark.looptime


class Parts(CallParts):
    """What is common to all calls; it notes why it is to end."""

    endings: list[Ending]

    def end(self, ending: Ending) -> None:
        self.endings = [ending]


class Job:
    """A job in a scripted room."""

    def __init__(self, parts: SessionParts) -> None:
        self.room = ScriptedRoom()
        self.proc = SimpleNamespace(userdata={"parts": parts})
        self.job = SimpleNamespace(
            id="AJ_1", metadata="", room=SimpleNamespace(sid="RM_1", name="room")
        )
        self.closes: list[Callable[..., Awaitable[None]]] = []

    def is_fake_job(self) -> bool:
        return False

    async def close(self) -> None:
        """LiveKit ends the job."""
        for each in self.closes:
            await each()

    def add_shutdown_callback(self, callback: Callable[..., Awaitable[None]]) -> None:
        self.closes.append(callback)


@pytest.fixture(scope="module")
def parts() -> SessionParts:
    return prepare_parts(sample_settings(openai={"base_url": "http://127.0.0.1:9/v1"}))


def made(parts: SessionParts, folder: Path) -> tuple[Any, Job]:
    """The parts of a call that has a past, so that no greeting is asked for; and its job."""
    said = '{"kind": "said", "at": 1, "role": "user", "text": "Hello?"}\n'
    (folder / "RM_1.jsonl").write_text(said)
    (folder / "RM_1.jsonl").chmod(0o600)
    nowhere = {"base_url": "http://127.0.0.1:9/v1"}
    with_records = sample_settings(openai=nowhere, agent={"record_dir": folder})
    job = Job(parts.for_call(with_records))
    return Parts(cast("JobContext", cast("Any", job)), job.proc.userdata["parts"]), job


async def test_whatever_is_open_is_closed_with_the_job(parts: SessionParts, tmp_path: Path) -> None:
    _, job = made(parts, tmp_path)
    await job.close()
    assert len(job.closes) >= 5


async def test_a_call_with_a_past_prepares_no_greeting(parts: SessionParts, tmp_path: Path) -> None:
    call, job = made(parts, tmp_path)
    assert call._greeting_prefetch is None
    await job.close()


async def test_a_call_that_another_agent_has_begins_with_its_gate_closed(
    parts: SessionParts, tmp_path: Path
) -> None:
    own, job = made(parts, tmp_path)
    assert own._agents(None).gated.gate.is_open
    await job.close()
    another, job = made(parts, tmp_path)
    another._hands.wait()
    agents = another._agents(None)
    assert (agents.gated.gate.is_open, agents.waits) == (False, True)
    await job.close()
