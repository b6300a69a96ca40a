"""What a worker reads from the requests for agents in a room."""

from livekit.protocol import agent as jobs
from livekit.protocol import agent_dispatch

from agent.worker.rooms import nobody_was_free


def asked(name: str = "", *states: "jobs.JobStatus.ValueType") -> agent_dispatch.AgentDispatch:
    """A request for an agent, and what became of it."""
    found = [jobs.Job(state=jobs.JobState(status=state)) for state in states]
    return agent_dispatch.AgentDispatch(
        agent_name=name, state=agent_dispatch.AgentDispatchState(jobs=found)
    )


def test_nobody_was_free_where_no_request_found_a_worker() -> None:
    assert nobody_was_free([asked(), asked("other", jobs.JS_RUNNING)], "")
    assert not nobody_was_free([asked(), asked("", jobs.JS_FAILED)], "")
