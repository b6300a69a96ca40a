"""Forced shutdown: asks the worker's agents to end their calls with an apology.

The message is an attribute of the agent's own participant. Only the agent and holders of the API
key can set it, while any participant could call an RPC method.
"""

import asyncio
import contextlib
import logging

from livekit import api

from agent.room_names import Attribute
from agent.worker.livekit_api import DEADLINE_SECONDS, livekit_api
from agent.worker.server import Worker
from config.services import LiveKitSettings

log = logging.getLogger(__name__)


async def ask_agents_to_leave(worker: Worker, livekit: LiveKitSettings) -> None:
    """Ask every agent of this worker. One that LiveKit cannot reach ends without an apology."""
    async with livekit_api(livekit) as server:
        requests = [
            server.client.room.update_participant(
                api.UpdateParticipantRequest(
                    room=info.job.room.name,
                    identity=info.accept_arguments.identity,
                    attributes={Attribute.MUST_GO: "true"},
                )
            )
            for info in worker.active_jobs
        ]
        log.info("ending the calls in progress", extra={"calls": len(requests)})
        # The supervisor kills the worker some time later, so no second region is tried.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_SECONDS):
                await asyncio.gather(*requests, return_exceptions=True)
