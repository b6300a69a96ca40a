"""What a caller hears who says nothing, or whom nobody can hear. Time is virtual."""

import asyncio
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession

from agent.call.endings import Ending
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.session_events import subscribe
from agent.call.silence import Silence
from config.behaviour import AgentSettings
from stt_assemblyai.stt import STT

pytestmark = pytest.mark.looptime

AGENT = AgentSettings(language="de")
ASKED, TOLD = AGENT.still_there, CannedPrompt.ONE_MOMENT.recorded("de").text


async def told(
    recogniser: STT | None, seconds: float, *events: tuple[float, str]
) -> list[str | Ending]:
    """What a caller who is silent is told in this time, and how the call ends.

    `events` are what the recogniser reports, and when.
    """
    ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
    session: AgentSession[None] = AgentSession(user_away_timeout=AGENT.silence_seconds)
    silence = Silence(session, AGENT, ended.set_result, knows_stt=recogniser is not None)
    subscribe(session, recogniser, silence)
    watching = asyncio.create_task(silence.watch())
    loop = asyncio.get_running_loop()
    for at, event in events:
        assert recogniser is not None
        loop.call_later(at, recogniser.emit, event, None)
    await session.start(Agent(instructions=""), record=False)
    await asyncio.wait([ended], timeout=seconds)
    watching.cancel()
    said: list[Any] = [each.text_content for each in session.history.messages()]
    await session.aclose()
    return [*said, ended.result()] if ended.done() else said


async def test_a_caller_who_says_nothing_is_asked_and_let_go() -> None:
    assert await told(None, 100) == [ASKED, Ending.CALLER_SILENT]


async def test_so_is_one_whom_the_recogniser_hears() -> None:
    recogniser = STT(api_key="key")
    assert await told(recogniser, 100, (1, "session_opened")) == [ASKED, Ending.CALLER_SILENT]


async def test_a_caller_whom_nobody_can_hear_is_told_to_wait_and_never_let_go_as_silent() -> None:
    recogniser = STT(api_key="key")
    heard = await told(recogniser, 175)
    assert set(heard) == {TOLD}
    assert len(heard) >= 5


async def test_a_caller_whom_nobody_could_hear_for_a_while_is_asked_before_the_call_ends() -> None:
    recogniser = STT(api_key="key")
    events = ((1, "session_opened"), (10, "interrupted"), (50, "session_opened"))
    assert await told(recogniser, 200, *events) == [TOLD, TOLD, ASKED, Ending.CALLER_SILENT]
