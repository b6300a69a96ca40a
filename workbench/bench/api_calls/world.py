"""The rooms of the measurement, by number, and who is in them.

The first `SERVED` have a person and an agent, the next `ALONE` a person who needs no agent, and the
others nobody, but for a visitor: each second one comes, and stays for `VISIT_SECONDS`.
"""

from types import SimpleNamespace
from typing import cast

from livekit.agents.job import RunningJobInfo

AGENT_NAME = "counted"
"""No request names it, so nobody in these rooms waits for an agent."""
SERVED = 40
ALONE = 40
VISITED_FROM = SERVED + ALONE
VISIT_SECONDS = 3.0
PLACES = 4
"""How many more calls each worker takes."""


def room_name(number: int) -> str:
    """The name of a room."""
    return f"room-{number:04}"


def agent_in(number: int) -> str:
    """The identity of the agent in a room that has one."""
    return f"agent-{number:04}"


def jobs_of(worker: int, workers: int) -> list[RunningJobInfo]:
    """The calls of one worker, which share those that there are."""
    numbers = range(worker, SERVED, workers)
    return [cast("RunningJobInfo", _job(number)) for number in numbers]


def _job(number: int) -> SimpleNamespace:
    room = SimpleNamespace(name=room_name(number), sid="")
    job = SimpleNamespace(id=f"AJ_{number}", dispatch_id="", room=room)
    return SimpleNamespace(job=job, accept_arguments=SimpleNamespace(identity=agent_in(number)))
