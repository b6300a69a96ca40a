"""Speech events on their way through the gate, in a session's own time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit.agents import stt

from agent.call.takeover.gate import Gate
from agent.call.takeover.gated_events import GatedEvents

pytestmark = pytest.mark.looptime
Type = stt.SpeechEventType


async def said() -> AsyncIterator[stt.SpeechEvent]:
    """A word at 1 s, at 2 s and at 3 s."""
    for _ in range(3):
        await asyncio.sleep(1)
        now = asyncio.get_running_loop().time()
        yield stt.SpeechEvent(type=Type.START_OF_SPEECH, speech_start_time=now, created_at=now)
        yield stt.SpeechEvent(type=Type.END_OF_SPEECH, speech_end_time=now, created_at=now)


async def test_what_is_held_comes_when_the_gate_opens_and_the_rest_at_once() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    gated = GatedEvents(Gate(is_open=False))
    loop.call_later(2.5, gated.open)
    came = [round(loop.time() - began, 1) async for _ in gated.sift(said())]
    assert came == [2.5, 2.5, 2.5, 2.5, 3.0, 3.0]


async def test_it_knows_when_the_last_event_came() -> None:
    gated = GatedEvents(Gate())
    assert gated.last_at == float("-inf")
    began = asyncio.get_running_loop().time()
    async for _ in gated.sift(said()):
        pass
    assert gated.last_at - began == pytest.approx(3.0)


async def test_a_closed_gate_holds_what_comes_from_then_on() -> None:
    gated = GatedEvents(Gate())
    asyncio.get_running_loop().call_later(1.5, gated.close)
    assert len([each async for each in gated.sift(said())]) == 2
