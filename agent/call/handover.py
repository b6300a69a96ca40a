"""Handing a caller over to a person, where the agent cannot go on.

`AGENT_HAND_OVER_TO` names a telephone or SIP address, to which LiveKit transfers callers who came
by telephone, or a function of the operator's own for callers of every kind.
"""

import asyncio
import logging
import pkgutil
from collections.abc import Awaitable, Callable
from functools import partial

from livekit import api, rtc
from livekit.agents import JobContext

from config.behaviour import ADDRESSES

log = logging.getLogger(__name__)

HAND_OVER_SECONDS = 30

Hook = Callable[[JobContext, str, str], Awaitable[bool]]
"""(job, caller's identity, why the agent ends) -> whether somebody has taken the caller.

It has `HAND_OVER_SECONDS`. Afterwards the agent leaves; the caller stays in the room.
"""


def hook_for(to: str | None, kind: rtc.ParticipantKind.ValueType) -> Hook | None:
    """What hands a caller of this kind over; None where nobody can take them."""
    if to is None:
        return None
    if not to.startswith(ADDRESSES):
        hook: Hook = pkgutil.resolve_name(to)
        return hook
    if kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return partial(_transfer, to)
    return None


async def hand_over(hook: Hook, job: JobContext, caller_identity: str, ending: str) -> bool:
    """Whether a person has taken the caller. Never raises: the call has an end in any case."""
    # A task of its own: what goes on when it is cancelled must not keep the caller waiting.
    asked = asyncio.create_task(_ask(hook, job, caller_identity, ending), name="hand over")
    try:
        await asyncio.wait([asked], timeout=HAND_OVER_SECONDS)
        failure = _failure(asked)
    finally:
        asked.cancel()
    if failure:
        log.error("the caller could not be handed over", exc_info=failure)
        return False
    taken = asked.result()
    log.info("the caller was handed over" if taken else "nobody took the caller over")
    return taken


async def _ask(hook: Hook, job: JobContext, caller_identity: str, ending: str) -> bool:
    return await hook(job, caller_identity, ending)


def _failure(asked: asyncio.Task[bool]) -> BaseException | None:
    """Why there is no answer: it is the operator's own, and anything can go wrong in it."""
    if not asked.done():
        return TimeoutError()
    return asyncio.CancelledError() if asked.cancelled() else asked.exception()


async def _transfer(to: str, job: JobContext, caller_identity: str, _ending: str) -> bool:
    await transfer(job.api, job.room.name, caller_identity, to)
    return True


async def transfer(client: api.LiveKitAPI, room: str, caller_identity: str, to: str) -> None:
    """Have the caller's telephone company call `to`. Raises `TwirpError` when it does not."""
    await client.sip.transfer_sip_participant(
        api.TransferSIPParticipantRequest(
            room_name=room, participant_identity=caller_identity, transfer_to=to
        )
    )
