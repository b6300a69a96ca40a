"""How a job begins, and ends where nobody is answered; whole calls are in tests/calls."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import JobContext

from agent.call.answer import Call, answer
from agent.call.endings import Ending
from agent.call.session import SessionParts, prepare_parts
from agent.records import schema
from agent.records.schema import LINE
from workbench.local.sample_settings import sample_settings
from workbench.standins.scripted_room import Person, ScriptedRoom

pytestmark = pytest.mark.looptime

PATIENCE_SECONDS = 30
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


@pytest.fixture(scope="module")
def parts() -> SessionParts:
    nowhere = {"base_url": "http://127.0.0.1:9/v1"}
    return prepare_parts(
        sample_settings(openai=nowhere, agent={"caller_timeout_seconds": PATIENCE_SECONDS})
    )


class Left(ScriptedRoom):
    """A room that an agent can leave."""

    async def disconnect(self) -> None:
        self.is_connected = False


class Job:
    """A job of LiveKit's, in a scripted room, and why it was shut down."""

    def __init__(self, parts: SessionParts | None, *, is_fake: bool = False) -> None:
        self.room = Left()
        self.proc = SimpleNamespace(userdata={"parts": parts} if parts else {})
        self.worker_id = "AW_1"
        self.log_context_fields: dict[str, object] = {}
        self.job = SimpleNamespace(
            id="AJ_1", metadata="", dispatch_id="", room=SimpleNamespace(sid="RM_1", name="room")
        )
        self.ending: str | None = None
        self.connects: Callable[[], Awaitable[None]] = self._connect
        self._is_fake = is_fake
        self._callbacks: list[Callable[..., Awaitable[None]]] = []

    @property
    def api(self) -> Any:
        return SimpleNamespace(room=self, agent_dispatch=self)

    async def list_participants(self, _: object) -> Any:
        return SimpleNamespace(participants=[])

    async def list_dispatch(self, _: str) -> list[Any]:
        return []

    def is_fake_job(self) -> bool:
        return self._is_fake

    async def connect(self, **_: object) -> None:
        await self.connects()

    async def _connect(self) -> None:
        pass

    def shutdown(self, reason: str) -> None:
        self.ending = reason

    def add_shutdown_callback(self, callback: Callable[..., Awaitable[None]]) -> None:
        self._callbacks.append(callback)

    async def stop(self) -> None:
        """LiveKit ends the job."""
        for each in reversed(self._callbacks):
            await (each("") if inspect.signature(each).parameters else each())

    async def begin(self) -> None:
        await answer(cast("JobContext", cast("Any", self)))


async def test_a_job_is_taken_at_once_and_shows_its_role(parts: SessionParts) -> None:
    job = Job(parts)
    await job.begin()
    assert job.room.local_participant.attributes["agent.role"] == "answers"
    assert job.ending is None
    await job.stop()


async def test_a_room_into_which_nobody_comes_is_left(parts: SessionParts) -> None:
    job = Job(parts)
    await job.begin()
    await asyncio.sleep(PATIENCE_SECONDS - 1)
    assert job.ending is None
    await asyncio.sleep(2)
    assert job.ending == Ending.NO_CALLER.value
    assert not job.room.is_connected
    await job.stop()


async def test_where_another_agent_of_ours_is_this_one_goes(parts: SessionParts) -> None:
    job = Job(parts)
    job.room.join(Person("agent-1", AGENT, attributes={"agent.role": "answers"}))
    await job.begin()
    await asyncio.sleep(1)
    assert job.ending == Ending.OTHER_AGENT.value
    await job.stop()


def giving(versions: str) -> Person:
    """An agent that gives its call up, in these versions of the state."""
    shown = {"agent.role": "answers", "agent.caller": "ann", "agent.hands_over": versions}
    return Person("agent-1", AGENT, attributes=shown)


@pytest.mark.parametrize("versions", ["", "99"])
async def test_an_agent_that_speaks_no_version_of_ours_keeps_its_call(
    parts: SessionParts, versions: str
) -> None:
    job = Job(parts)
    job.room.join(giving(versions))
    await job.begin()
    await asyncio.sleep(1)
    assert job.ending == Ending.OTHER_AGENT.value
    await job.stop()


async def test_a_successor_that_cannot_start_leaves_the_call_alone(parts: SessionParts) -> None:
    """This room is none for a session."""
    job = Job(parts)
    job.room.join(Person("ann"))
    job.room.join(giving("1,99"))
    await job.begin()
    await asyncio.sleep(2)
    assert job.ending == Ending.OTHER_AGENT.value
    assert not {"agent.caller", "agent.ending"} & job.room.local_participant.attributes.keys()
    await job.stop()


async def test_a_worker_that_stops_ends_a_call_that_waits(parts: SessionParts) -> None:
    job = Job(parts)
    await job.begin()
    await asyncio.sleep(1)
    await job.stop()
    assert job.ending == Ending.WORKER_STOPPED.value


async def test_the_first_reason_to_end_counts(parts: SessionParts) -> None:
    job: Any = Job(parts)
    call = Call(job, parts)
    call.end(Ending.ROOM_CLOSED)
    call.end(Ending.FAULT)
    await call.run()
    assert job.ending == Ending.ROOM_CLOSED.value
    await job.stop()


def written(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in folder.rglob("*") if path.is_file())


async def test_the_end_is_in_the_record(parts: SessionParts, tmp_path: Path) -> None:
    agent = parts.settings.agent.model_copy(update={"record_dir": tmp_path})
    settings = parts.settings.model_copy(update={"agent": agent})
    job: Any = Job(parts)
    call = Call(job, parts.for_call(settings))
    call.end(Ending.NO_CALLER)
    await call.run()
    await job.stop()
    first, last = map(LINE.validate_json, written(tmp_path).splitlines())
    assert isinstance(first, schema.Call)
    assert (first.room, first.room_sid, first.job_id, first.worker) == (
        "room",
        "RM_1",
        "AJ_1",
        "AW_1",
    )
    assert isinstance(last, schema.End)
    assert last.ending == "no_caller"


async def test_a_job_that_cannot_begin_is_shut_down_as_a_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = Job(None, is_fake=True)
    await job.begin()
    assert job.ending == Ending.FAULT.value
    assert "the call could not begin" in caplog.text
