"""The ears in a real AgentSession, without a room: what the session is told, and what it costs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession, CloseEvent, CloseReason, ErrorEvent

from stt_assemblyai.errors import AuthenticationError
from stt_assemblyai.stt import STT
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn
from workbench.standins.silent_input import SilentInput

FAST = Knobs(begin_delay_ms=0, reject_delay_ms=0, format_twin_delay_ms=10, termination_delay_ms=5)
REMEDY = "Check ASSEMBLYAI_API_KEY, and that the account may stream."


class Call:
    """A session that hears a microphone; nothing in it thinks or speaks."""

    def __init__(self, speech: STT) -> None:
        self.session: AgentSession[None] = AgentSession(
            stt=speech, vad=None, turn_handling={"turn_detection": "stt"}
        )
        self.errors: list[Any] = []
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.closed: asyncio.Future[CloseEvent] = asyncio.get_running_loop().create_future()
        self.session.on("error", self._take_error)
        self.session.on("close", self.closed.set_result)
        self.session.on("user_input_transcribed", self._take_words)

    async def start(self) -> None:
        self.session.input.audio = SilentInput()
        await self.session.start(Agent(instructions=""), record=False)

    def _take_error(self, event: ErrorEvent) -> None:
        self.errors.append(event.error)

    def _take_words(self, event: Any) -> None:
        if event.is_final:
            self.heard.put_nowait(event.transcript)


@pytest.fixture
async def refusing() -> AsyncIterator[AssemblyAIStandIn]:
    async with AssemblyAIStandIn(knobs=FAST) as stand_in:
        yield stand_in


async def test_a_wrong_key_costs_one_connection_until_the_session_gives_up(
    refusing: AssemblyAIStandIn,
) -> None:
    """LiveKit makes the stream anew until it has had enough: only the first one connects."""
    call = Call(STT(api_key="wr0ng", base_url=refusing.url))
    await call.start()
    ended = await call.closed
    assert ended.reason is CloseReason.ERROR
    assert len(call.errors) > 1
    assert len(refusing.sessions) == 1


async def test_whoever_answers_the_error_by_closing_is_told_once_what_to_change(
    refusing: AssemblyAIStandIn,
) -> None:
    call = Call(STT(api_key="wr0ng", base_url=refusing.url))
    closing: list[asyncio.Task[None]] = []
    call.session.on("error", lambda _: closing.append(asyncio.create_task(call.session.aclose())))
    await call.start()
    await call.closed
    await asyncio.gather(*closing)
    (told,) = call.errors
    assert not told.recoverable
    assert isinstance(told.error.__cause__, AuthenticationError)
    sentence = str(told.error)
    assert sentence.count("Invalid API key") == 1
    assert sentence.count(REMEDY) == 1
    assert "wr0ng" not in sentence
    assert len(refusing.sessions) == 1


async def test_the_session_never_learns_of_a_drop_and_hears_the_whole_turn() -> None:
    words = [
        ScriptedWord(word, 200 + 300 * i, 450 + 300 * i, 0.9 if i == 3 else 0.1)
        for i, word in enumerate(["I", "would", "like", "tea"])
    ]
    async with AssemblyAIStandIn(
        scripts=[words] * 2, faults=[Fault(drop_at_ms=400)], knobs=FAST
    ) as stand_in:
        call = Call(STT(api_key=LOCAL_KEY, base_url=stand_in.url))
        await call.start()
        assert await call.heard.get() == "I would like tea"
        await call.session.aclose()
        assert call.errors == []
        assert len(stand_in.sessions) == 2
        assert stand_in.sessions[1].was_terminated
