"""Which rooms need an agent, by what the server says, and what it is told when one is asked for."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import api
from livekit.protocol import agent as jobs
from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need, fill, metadata
from agent.call.people.participants import AgentRole
from agent.room_names import HOLD_IDENTITY
from config.behaviour import AgentSettings

CAN = models.ParticipantPermission(can_publish=True)
CAMERA_ONLY = models.ParticipantPermission(
    can_publish=True, can_publish_sources=[models.TrackSource.CAMERA]
)
AGENT = models.ParticipantInfo.AGENT


def person(
    identity: str = "caller",
    kind: "models.ParticipantInfo.Kind.ValueType" = models.ParticipantInfo.STANDARD,
    permission: models.ParticipantPermission = CAN,
) -> models.ParticipantInfo:
    return models.ParticipantInfo(identity=identity, kind=kind, permission=permission)


CALLER = person()
PHONE = person("phone", models.ParticipantInfo.SIP)
RECORDER = person("egress", models.ParticipantInfo.EGRESS)
OBSERVER = person("observer", permission=models.ParticipantPermission(can_subscribe=True))
VIEWER = person("viewer", permission=CAMERA_ONLY)
HIDDEN = person("boss", permission=models.ParticipantPermission(can_publish=True, hidden=True))
OPERATOR = person("ops-anna")
COMPANY = person(HOLD_IDENTITY, AGENT)
AVATAR = person("avatar", AGENT)


def agent(name: str = "", role: AgentRole = AgentRole.ANSWERS) -> models.ParticipantInfo:
    attributes = {"lk.agent.name": name, "agent.role": role}
    return models.ParticipantInfo(identity="agent", kind=AGENT, attributes=attributes)


TRANSCRIBER = agent("transcriber", AgentRole.TRANSCRIBES)


def asked(
    name: str = "", *states: "jobs.JobStatus.ValueType", identifier: str = "AD", at: int = 0
) -> agent_dispatch.AgentDispatch:
    """A request for an agent, and what became of it."""
    found = [jobs.Job(state=jobs.JobState(status=state)) for state in states]
    return agent_dispatch.AgentDispatch(
        id=identifier,
        agent_name=name,
        state=agent_dispatch.AgentDispatchState(jobs=found, created_at=at),
    )


@pytest.mark.parametrize(
    ("participants", "requests", "name", "expected"),
    [
        ([CALLER], [], "", False),
        ([CALLER], [asked("other")], "", False),
        ([PHONE], [asked()], "", True),
        ([CALLER], [asked("", jobs.JS_FAILED)], "", True),
        ([CALLER], [asked("", jobs.JS_RUNNING)], "", True),
        ([CALLER], [asked("", jobs.JS_SUCCESS)], "", True),
        ([CALLER, agent()], [asked()], "", False),
        ([CALLER, agent("other")], [asked()], "", True),
        ([RECORDER], [asked()], "", False),
        ([], [asked()], "", False),
        ([CALLER, COMPANY], [asked()], "", True),
        ([CALLER, AVATAR], [asked()], "", True),
        ([CALLER, TRANSCRIBER], [asked()], "", True),
        ([CALLER, agent("", AgentRole.TRANSCRIBES)], [asked()], "", True),
        ([OBSERVER, VIEWER, OPERATOR], [asked()], "", False),
        ([HIDDEN], [asked()], "", False),
        ([OBSERVER, VIEWER, OPERATOR, CALLER], [asked()], "", True),
        ([CALLER], [], "receptionist", False),
        ([CALLER], [asked("other")], "receptionist", False),
        ([CALLER], [asked("receptionist")], "receptionist", True),
        ([CALLER, agent("receptionist")], [asked("receptionist")], "receptionist", False),
    ],
)
def test_a_caller_without_an_agent_waits_where_one_is_asked_for(
    participants: list[models.ParticipantInfo],
    requests: list[agent_dispatch.AgentDispatch],
    name: str,
    expected: bool,
) -> None:
    assert Need(name, operators=("ops-*",)).is_open(participants, requests) is expected


@pytest.mark.parametrize(
    ("participants", "requests", "name", "expected"),
    [
        ([CALLER], [asked()], "", True),
        ([OPERATOR], [], "", True),
        ([CALLER, agent()], [asked()], "", True),
        ([CALLER, TRANSCRIBER], [asked()], "", False),
        ([OBSERVER, RECORDER], [asked()], "", False),
        ([HIDDEN], [asked()], "", False),
        ([CALLER], [asked()], "minutes", False),
        ([CALLER], [asked("minutes")], "minutes", True),
    ],
)
def test_a_transcriber_comes_by_itself_unless_it_was_given_a_name(
    participants: list[models.ParticipantInfo],
    requests: list[agent_dispatch.AgentDispatch],
    name: str,
    expected: bool,
) -> None:
    settings = AgentSettings(operators=("ops-*",), transcriber_name=name)
    assert Need.to_transcribe(settings).is_open(participants, requests) is expected


def test_another_agent_is_told_what_the_first_one_was() -> None:
    first, second = (
        agent_dispatch.AgentDispatch(
            agent_name="receptionist",
            metadata=told,
            state=agent_dispatch.AgentDispatchState(created_at=at),
        )
        for told, at in (("in French", 1), ("", 2))
    )
    assert metadata([second, asked("other"), first], "receptionist") == "in French"
    assert metadata([], "receptionist") == ""


class Server:
    """A server with one room."""

    def __init__(
        self,
        participants: list[models.ParticipantInfo],
        requests: list[agent_dispatch.AgentDispatch],
    ) -> None:
        self.room = self.agent_dispatch = self
        self.asked = 0
        self._participants = participants
        self._requests = requests

    async def list_participants(self, _: object) -> Any:
        return SimpleNamespace(participants=self._participants)

    async def list_dispatch(self, _: str) -> list[agent_dispatch.AgentDispatch]:
        return self._requests

    async def create_dispatch(self, _: object) -> None:
        self.asked += 1


OLD, NEW = asked(identifier="old", at=1), asked(identifier="new", at=2)


@pytest.mark.parametrize(
    ("participants", "requests", "expected"),
    [
        ([CALLER], [OLD], True),
        ([], [OLD], False),
        ([OPERATOR], [OLD], False),
        ([CALLER, agent()], [OLD], False),
        ([CALLER], [], False),  # an agent that ended the call has taken the request back
        ([CALLER], [NEW, OLD], False),  # somebody else has asked, and may be heard yet
    ],
)
async def test_an_agent_that_leaves_asks_for_another_where_somebody_waits(
    participants: list[models.ParticipantInfo],
    requests: list[agent_dispatch.AgentDispatch],
    expected: bool,
) -> None:
    server = Server(participants, requests)
    client = cast("api.LiveKitAPI", cast("Any", server))
    assert await fill(client, "room", Need(operators=("ops-*",)), "old") is expected
    assert server.asked == expected
