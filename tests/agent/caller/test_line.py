"""What a caller's line tells of the agent in the room."""

import asyncio
from typing import Any

import pytest
from livekit import rtc

from agent.caller.caller import Caller
from agent.caller.line import CallEndedError
from agent.caller.waiting import WaitedTooLongError

pytestmark = pytest.mark.looptime


async def test_an_agent_that_comes_is_known_with_what_it_does(caller: Caller, room: Any) -> None:
    assert (caller.agent_identity, caller.agent_state) == (None, None)
    room.comes("agent-1", state="initializing")
    room.shows("agent-1", state="listening")
    room.shows("agent-1", state="listening")
    assert caller.agent_identity == "agent-1"
    assert [state for _, state in caller.states] == ["initializing", "listening"]
    assert caller.agent_state == "listening"


async def test_one_that_was_there_first_is_known_too(room: Any) -> None:
    room.comes("agent-1", state="listening")
    late = Caller(room, "room", "ann")
    await late.connect("ws://nowhere", "token", None)
    assert late.agent_identity == "agent-1"
    await late.hang_up()


async def test_while_two_are_there_the_agent_is_the_one_that_has_the_caller(
    caller: Caller, room: Any
) -> None:
    room.comes("agent-1", state="listening", caller="ann")
    room.comes("agent-2", state="initializing")
    assert (caller.agent_identity, caller.agent_state) == ("agent-1", "listening")
    room.shows("agent-2", caller="ann", state="listening")
    room.shows("agent-1", state="speaking")  # it is on its way out
    room.leave("agent-1")
    assert (caller.agent_identity, caller.agent_state) == ("agent-2", "listening")


async def test_the_one_that_stays_is_the_agent_when_the_other_leaves(
    caller: Caller, room: Any
) -> None:
    room.comes("agent-1", state="speaking", caller="ann")
    room.comes("agent-2", state="listening")
    room.leave("agent-1")
    assert (caller.agent_identity, caller.agent_state) == ("agent-2", "listening")


async def test_one_that_only_writes_down_is_not_the_agent(caller: Caller, room: Any) -> None:
    room.comes("scribe", role="transcribes", state="listening")
    assert caller.agent_identity is None


async def test_a_hold_announcement_is_no_agent_and_says_to_wait(caller: Caller, room: Any) -> None:
    room.comes("agent-waiting", waiting="all_busy")
    assert caller.was_told_to_wait
    assert caller.agent_identity is None


async def wait_for_nothing(caller: Caller) -> Any:
    return await caller.until(lambda: None, timeout_seconds=5, what="an answer")


async def test_what_is_awaited_is_returned_as_soon_as_it_is_there(
    caller: Caller, room: Any
) -> None:
    waiting = asyncio.create_task(
        caller.until(lambda: caller.agent_state, timeout_seconds=5, what="a state")
    )
    await asyncio.sleep(1)
    assert not waiting.done()
    room.comes("agent-1", state="listening")
    assert await waiting == "listening"


async def test_what_does_not_come_is_named(caller: Caller) -> None:
    with pytest.raises(WaitedTooLongError, match="waited 5 s for an answer"):
        await wait_for_nothing(caller)


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda room: room.shows("agent-1", ending="agent_ended"), r"the call \(agent_ended\)"),
        (lambda room: room.leave("agent-1"), "the agent left the room before an answer"),
        (
            lambda room: room.emit("disconnected", rtc.DisconnectReason.ROOM_DELETED),
            r"the call ended \(ROOM_DELETED\) before an answer",
        ),
    ],
)
async def test_nobody_waits_for_an_agent_that_is_gone(
    caller: Caller, room: Any, happens: Any, said: str
) -> None:
    room.comes("agent-1", state="listening")
    waiting = asyncio.create_task(wait_for_nothing(caller))
    await asyncio.sleep(1)
    happens(room)
    with pytest.raises(CallEndedError, match=said):
        await waiting


async def test_one_who_hangs_up_is_out_at_once(caller: Caller) -> None:
    assert caller.is_connected
    await caller.hang_up()
    assert caller.disconnected == "CLIENT_INITIATED"


async def test_without_sound_nothing_was_heard(caller: Caller) -> None:
    assert caller.heard_spans == []
    assert not caller.hears_speech
    assert caller.spoken == []
    assert not caller.heard(0.0, 1.0).any()
