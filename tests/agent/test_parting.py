"""What the end of a call leaves behind in its room."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import JobContext
from livekit.protocol.agent_dispatch import AgentDispatch

from agent.call.parting import Parting
from agent.call.presence import Presence
from config.behaviour import AgentSettings


class Job:
    """A job in a room with these others, and what its agent had the server do."""

    def __init__(self, *others: str) -> None:
        self.done: list[str] = []
        self.room = SimpleNamespace(
            name="room",
            isconnected=lambda: True,
            remote_participants={each: SimpleNamespace(identity=each) for each in others},
        )
        self.api = SimpleNamespace(agent_dispatch=self)

    def is_fake_job(self) -> bool:
        return False

    async def delete_room(self) -> None:
        self.done.append("hung up")

    async def list_dispatch(self, _room: str) -> list[AgentDispatch]:
        return [AgentDispatch(id="first"), AgentDispatch(id="another's", agent_name="another")]

    async def delete_dispatch(self, identifier: str, _room: str) -> None:
        self.done.append(f"took {identifier} back")


@pytest.mark.parametrize(
    ("others", "done"),
    [(["caller"], ["hung up"]), (["caller", "colleague"], ["took first back"])],
)
async def test_who_is_left_among_people_by_an_agent_that_is_done_is_sent_no_other(
    others: list[str], done: list[str]
) -> None:
    job = Job(*others)
    presence = cast("Presence", SimpleNamespace(caller_identity="caller", absences=0))
    await Parting(cast("JobContext", cast("Any", job)), AgentSettings(), presence).hang_up()
    assert job.done == done
