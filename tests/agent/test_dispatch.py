"""Who waits for an agent, and who does not."""

import pytest
from livekit.protocol import agent as jobs
from livekit.protocol import agent_dispatch, models

from agent.worker.company import IDENTITY
from agent.worker.rooms import metadata, nobody_was_free, waits

CALLER = models.ParticipantInfo(identity="caller", kind=models.ParticipantInfo.STANDARD)
PHONE = models.ParticipantInfo(identity="phone", kind=models.ParticipantInfo.SIP)
RECORDER = models.ParticipantInfo(identity="egress", kind=models.ParticipantInfo.EGRESS)

COMPANY = models.ParticipantInfo(
    identity=IDENTITY, kind=models.ParticipantInfo.AGENT, attributes={"lk.agent.name": IDENTITY}
)


def agent(name: str = "") -> models.ParticipantInfo:
    return models.ParticipantInfo(
        identity="agent", kind=models.ParticipantInfo.AGENT, attributes={"lk.agent.name": name}
    )


def asked(name: str = "", *states: "jobs.JobStatus.ValueType") -> agent_dispatch.AgentDispatch:
    """A request for an agent, and what became of it."""
    found = [jobs.Job(state=jobs.JobState(status=state)) for state in states]
    return agent_dispatch.AgentDispatch(
        id="AD", agent_name=name, state=agent_dispatch.AgentDispatchState(jobs=found)
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
    assert waits(participants, requests, name) is expected


def test_nobody_was_free_where_no_request_found_a_worker() -> None:
    assert nobody_was_free([asked(), asked("other", jobs.JS_RUNNING)], "")
    assert not nobody_was_free([asked(), asked("", jobs.JS_FAILED)], "")


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
