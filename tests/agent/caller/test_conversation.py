"""A conversation that is not answered. Whole ones are held in tests/calls."""

import asyncio
from typing import Any

import numpy as np
import pytest

from agent.caller.caller import Caller
from agent.caller.conversation import agent_words, greeting, take_typed_turn
from agent.caller.line import CallEndedError
from agent.caller.utterance import Utterance

pytestmark = pytest.mark.looptime

TYPED = Utterance("Hello?", np.zeros(0, np.int16), "typed")


async def test_a_greeting_that_does_not_come_is_a_fault(caller: Caller, room: Any) -> None:
    room.comes("agent-1", state="initializing")
    waiting = asyncio.create_task(greeting(caller, timeout_seconds=5))
    await asyncio.sleep(1)
    room.shows("agent-1", ending="cannot_speak")
    with pytest.raises(CallEndedError, match="cannot_speak"):
        await waiting


async def test_an_agent_that_never_came_said_nothing(caller: Caller) -> None:
    assert agent_words(caller, since_seconds=0.0) == ""


async def test_what_is_typed_and_not_answered_is_a_turn_with_a_fault(
    caller: Caller, room: Any
) -> None:
    room.comes("agent-1", state="listening")
    waiting = asyncio.create_task(take_typed_turn(caller, TYPED, timeout_seconds=5))
    await asyncio.sleep(1)
    assert room.typed == ["Hello?"]
    room.leave("agent-1")
    turn = await waiting
    assert (turn.utterance, turn.reply, turn.reply_text) == (TYPED, None, "")
    assert turn.fault == "the agent left the room before the agent began to speak"
