"""Hands a caller over to a person when the agent cannot go on.

`AGENT_HAND_OVER_TO` is a telephone or SIP address, to which LiveKit transfers callers who came by
telephone, or the name of the operator's own function, for callers of every kind.
"""

import asyncio
import logging
import pkgutil
from collections.abc import Awaitable, Callable
from functools import partial

from livekit import api, rtc
from livekit.agents import JobContext

from agent.tasks import OwnedTask
from config.behaviour import ADDRESSES

log = logging.getLogger(__name__)

HAND_OVER_SECONDS = 30
# Of these, for a function that is stopped since it has taken too long.
STOP_SECONDS = 0.5

Hook = Callable[[JobContext, str, str], Awaitable[bool]]
"""(job, caller's identity, code of the ending) -> whether somebody has taken the caller.

It may take `HAND_OVER_SECONDS`. Then the agent leaves, and the caller stays in the room.
"""


def hook_for(to: str | None, kind: rtc.ParticipantKind.ValueType) -> Hook | None:
    """The hook that hands over a caller of this kind; None if nobody can take them."""
    if to is None:
        return None
    if not to.startswith(ADDRESSES):
        hook: Hook = pkgutil.resolve_name(to)
        return hook
    if kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return partial(_transfer, to)
    return None


async def hand_over(hook: Hook, job: JobContext, caller_identity: str, ending: str) -> bool:
    """Hand the caller over. Returns whether a person has taken them. Never raises."""
    # In a task of its own: a hook that does not stop when cancelled must not hold up the call.
    work = _ask(hook, job, caller_identity, ending)
    stopping = OwnedTask(work, name="hand over", is_watched=True, ending_seconds=STOP_SECONDS)
    async with stopping as asked:
        await asyncio.wait([asked.task], timeout=HAND_OVER_SECONDS - STOP_SECONDS)
        failure = _failure(asked.task)
    if failure:
        log.error("the caller could not be handed over", exc_info=failure)
        return False
    taken = asked.task.result()
    log.info("the caller was handed over" if taken else "nobody took the caller over")
    return taken


async def _ask(hook: Hook, job: JobContext, caller_identity: str, ending: str) -> bool:
    return await hook(job, caller_identity, ending)


def _failure(asked: asyncio.Task[bool]) -> BaseException | None:
    """What the hook failed with, if it did. It is the operator's code, and may raise anything."""
    if not asked.done():
        return TimeoutError()
    return asyncio.CancelledError() if asked.cancelled() else asked.exception()


async def _transfer(to: str, job: JobContext, caller_identity: str, _ending: str) -> bool:
    await transfer(job.api, job.room.name, caller_identity, to)
    return True


async def transfer(client: api.LiveKitAPI, room: str, caller_identity: str, to: str) -> None:
    """Have the caller's telephone company call `to`. Raises `TwirpError` if it refuses."""
    await client.sip.transfer_sip_participant(
        api.TransferSIPParticipantRequest(
            room_name=room, participant_identity=caller_identity, transfer_to=to
        )
    )
