"""Sends the caller's page where the time of each answer went, if the page's token asks for it."""

import asyncio
import contextlib
import json
from collections.abc import Callable

from livekit import rtc

from agent.records.schema import Line, Turn
from agent.records.stages import voice_ended_ms, wait_ms
from agent.room_names import Attribute, Topic
from agent.tasks import Tasks

_SEND_SECONDS = 5.0


def times_of(turn: Turn) -> dict[str, int] | None:
    """The stages of an answer, in milliseconds since the caller's voice ended, or since the typed
    text was taken; None for what answers nothing, or was never heard. Numbers alone: no words, no
    names of providers. A stage that is not known is left out.
    """
    since_ms, wait_for_ms, reply = voice_ended_ms(turn), wait_ms(turn), turn.reply
    if since_ms is None or wait_for_ms is None or reply is None:
        return None
    stages = {
        "decided_ms": turn.caller_part.decided_ms,
        "first_token_ms": reply.first_token_ms,
        "first_audio_ms": reply.first_audio_ms,
        "first_sound_ms": reply.first_sound_ms,
    }
    known = {name: max(0, at - since_ms) for name, at in stages.items() if at is not None}
    return {"turn": turn.index, **known}


class ShownTimes:
    """For one call, until it is closed. Nobody but the caller gets them; a lost message is lost."""

    def __init__(self, room: rtc.Room, caller: Callable[[], str | None]) -> None:
        """`caller` is the identity of the participant whom the agent serves."""
        self._room = room
        self._caller = caller
        self._tasks = Tasks()

    def take(self, line: Line) -> None:
        """Take the next line of the call's record."""
        times = times_of(line) if isinstance(line, Turn) else None
        caller = self._room.remote_participants.get(self._caller() or "")
        if times and caller and caller.attributes.get(Attribute.WANTS_TURN_TIMES) == "true":
            self._tasks.start(self._send(times, caller.identity), name="times of a turn")

    async def aclose(self) -> None:
        """Send nothing more."""
        await self._tasks.aclose()

    async def _send(self, times: dict[str, int], caller: str) -> None:
        with contextlib.suppress(Exception):  # LiveKit's library raises these in a closing room
            async with asyncio.timeout(_SEND_SECONDS):
                await self._room.local_participant.publish_data(
                    json.dumps(times), destination_identities=[caller], topic=Topic.TURN_TIMES
                )
