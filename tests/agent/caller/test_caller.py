"""What a caller waits for. With a real room and real sound: tests/calls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from livekit import rtc

from agent.caller.caller import Caller
from agent.caller.waiting import WaitedTooLongError

pytestmark = pytest.mark.looptime


async def happens_in_time(waited: Awaitable[object], event: Callable[[], None]) -> None:
    """It is awaited until the event, and not for longer."""
    waiting = asyncio.ensure_future(waited)
    await asyncio.sleep(1)
    assert not waiting.done()
    event()
    await asyncio.wait_for(waiting, 0.1)


async def test_a_caller_is_attended_when_an_agent_comes(caller: Caller, room: Any) -> None:
    await happens_in_time(
        caller.attended(timeout_seconds=5), lambda: room.comes("agent-1", state="listening")
    )


async def test_a_caller_is_attended_when_told_to_wait(caller: Caller, room: Any) -> None:
    await happens_in_time(
        caller.attended(timeout_seconds=5), lambda: room.comes("hold", waiting="all_busy")
    )
    await caller.told_to_wait(timeout_seconds=5)


async def test_another_agent_is_one_of_another_name(caller: Caller, room: Any) -> None:
    room.comes("agent-1", state="listening")
    await happens_in_time(
        caller.another_agent("agent-1", timeout_seconds=5),
        lambda: room.comes("agent-2", state="listening", caller="ann"),
    )


async def test_an_agent_is_gone_when_it_leaves(caller: Caller, room: Any) -> None:
    room.comes("agent-1", state="listening")
    await happens_in_time(caller.agent_gone(timeout_seconds=5), lambda: room.leave("agent-1"))


async def test_the_call_is_over_when_the_room_closes(caller: Caller, room: Any) -> None:
    await happens_in_time(
        caller.hung_up_on(timeout_seconds=5),
        lambda: room.emit("disconnected", rtc.DisconnectReason.ROOM_DELETED),
    )


async def test_an_agent_that_thinks_is_not_silent_yet(caller: Caller, room: Any) -> None:
    room.comes("agent-1", state="thinking")
    await happens_in_time(
        caller.hear_silence(timeout_seconds=5), lambda: room.shows("agent-1", state="listening")
    )
    assert await caller.hear_silence(timeout_seconds=5) == 0.0  # nothing was ever heard


async def test_an_agent_that_says_nothing_is_named(caller: Caller, room: Any) -> None:
    room.comes("agent-1", state="listening")
    with pytest.raises(WaitedTooLongError, match="for the agent began to speak"):
        await caller.hear_reply(after_seconds=0.0, timeout_seconds=5)
