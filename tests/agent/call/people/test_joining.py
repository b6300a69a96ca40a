"""How an agent joins its room."""

from typing import Any, cast

from livekit.agents import AutoSubscribe

from agent.call.people.joining import join
from agent.room_names import Attribute
from workbench.standins.scripted_room import ScriptedRoom


class Job:
    """A job that joins a scripted room."""

    def __init__(self) -> None:
        self.room = ScriptedRoom()
        self.asked: dict[str, Any] = {}

    async def connect(self, **asked: Any) -> None:
        self.asked = asked


async def test_it_receives_nothing_by_itself_and_shows_its_role() -> None:
    job = Job()
    await join(cast("Any", job))
    assert job.asked == {"auto_subscribe": AutoSubscribe.SUBSCRIBE_NONE}
    assert job.room.local_participant.attributes == {Attribute.ROLE: "answers"}
