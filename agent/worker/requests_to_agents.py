"""What a worker that stops asks of its agents: to hand their calls over, or to end them.

The message is an attribute of the agent's own participant. Only the agent and holders of the API
key can set it, while any participant could call an RPC method.
"""

import asyncio
import contextlib
import logging

from livekit import api
from livekit.agents.job import RunningJobInfo

from agent.room_names import Attribute
from agent.worker.livekit_api import DEADLINE_SECONDS, Api, livekit_api
from agent.worker.load_shedding import cores
from agent.worker.pace import START_CORE_SECONDS
from agent.worker.server import Worker
from config.services import LiveKitSettings

log = logging.getLogger(__name__)

# Of a machine, that may be spent on beginning the calls that are handed over.
STARTING_SHARE = 0.35

# An agent whose job has just begun is not in its room yet, so it is asked again.
AGAIN_SECONDS = 0.5


async def ask_agents_to_leave(worker: Worker, livekit: LiveKitSettings) -> None:
    """Ask every agent of this worker. One that LiveKit cannot reach ends without an apology."""
    async with livekit_api(livekit) as server:
        jobs = worker.active_jobs
        log.info("ending the calls in progress", extra={"calls": len(jobs)})
        # The supervisor kills the worker some time later, so no second region is tried.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_SECONDS):
                await _ask(server, jobs, Attribute.MUST_GO)


async def ask_agents_to_hand_over(worker: Worker, livekit: LiveKitSettings, seconds: float) -> None:
    """Ask every agent of this worker to give its call to an agent of another worker, one after the
    other: each begins a call somewhere, perhaps on this machine, beside calls in progress.

    Returns after `seconds`, or once no call is left. An agent that LiveKit does not know yet is
    asked again meanwhile; one that is never reached keeps its call, as if nothing was asked.
    """
    asked: set[str] = set()
    between_seconds = START_CORE_SECONDS / (STARTING_SHARE * cores())
    log.info("handing the calls in progress over", extra={"calls": len(worker.active_jobs)})
    with contextlib.suppress(TimeoutError):
        async with livekit_api(livekit) as server, asyncio.timeout(seconds):
            while jobs := worker.active_jobs:
                for info in jobs:
                    if info.job.id not in asked:
                        asked |= await _ask(server, [info], Attribute.MUST_HAND_OVER)
                        await asyncio.sleep(between_seconds)
                await asyncio.sleep(AGAIN_SECONDS)


async def _ask(server: Api, jobs: list[RunningJobInfo], attribute: Attribute) -> set[str]:
    """Set the attribute for the agent of each job. Returns the ids of the jobs where it is set."""
    requests = [
        server.client.room.update_participant(
            api.UpdateParticipantRequest(
                room=info.job.room.name,
                identity=info.accept_arguments.identity,
                attributes={attribute: "true"},
            )
        )
        for info in jobs
    ]
    answers = await asyncio.gather(*requests, return_exceptions=True)
    both = zip(jobs, answers, strict=True)
    return {info.job.id for info, answer in both if not isinstance(answer, BaseException)}
