"""Joins the room of a job: nothing of it is received yet, and everybody can see what we are."""

from livekit.agents import AutoSubscribe, JobContext

from agent.call.people.participants import AgentRole, show_role
from agent.livekit_private.events import route


async def join(job: JobContext) -> None:
    """Join as the agent that answers. Raises `rtc.ConnectError`."""
    await job.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
    route(job.room)
    await show_role(job.room.local_participant, AgentRole.ANSWERS)
