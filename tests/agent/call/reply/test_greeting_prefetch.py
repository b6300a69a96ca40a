"""A greeting that is being spoken before anybody can hear it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AgentSession

from agent.call.providers import Clients, build_tts, connect_options
from agent.call.reply.greeting_prefetch import GreetingPrefetch
from agent.call.reply.prompt_voice import PromptVoice
from config.services import OpenAISettings
from workbench.standins.openai_v1.faults import Fault
from workbench.standins.openai_v1.server import LOCAL_KEY, OpenAIStandIn

GREETING = "Good morning, you have reached the lighthouse. How can I help?"


@pytest.fixture
async def service() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn() as stand_in:
        yield stand_in


@pytest.fixture
async def session(service: OpenAIStandIn) -> AsyncIterator[AgentSession[None]]:
    chosen = OpenAISettings.model_validate(
        {
            "api_key": LOCAL_KEY,
            "base_url": service.url,
            "patience_seconds": 1,
            "tts_patience_seconds": 1,
        }
    )
    async with AsyncExitStack() as stack:
        clients = Clients.of(chosen)
        stack.push_async_callback(clients.aclose)
        voice = PromptVoice(
            build_tts(chosen, clients),
            least_chars=20,
            longest_pause_seconds=0.25,
            on_first_sound=lambda: None,
        )
        yield AgentSession(tts=voice, conn_options=connect_options())


async def pieces(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


class Otherwise:
    """What the session would have done; it says nothing, and notes what it was to say."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, text: Any) -> AsyncIterator[rtc.AudioFrame]:
        self.asked.append("".join([piece async for piece in text]))
        for frame in ():
            yield frame


async def said(greeting_prefetch: GreetingPrefetch, otherwise: Otherwise, *texts: str) -> float:
    """How many seconds of speech there are to these pieces of text."""
    frames = greeting_prefetch.speak(pieces(*texts), otherwise)
    return sum([frame.duration async for frame in frames])


async def test_a_greeting_that_has_begun_is_not_asked_for_again(
    service: OpenAIStandIn, session: AgentSession[None]
) -> None:
    otherwise = Otherwise()
    greeting_prefetch = GreetingPrefetch(session, GREETING)
    assert await said(greeting_prefetch, otherwise, GREETING) > 2
    assert " ".join(request.body["input"].strip() for request in service.requests) == GREETING
    assert otherwise.asked == []
    await greeting_prefetch.aclose()


async def test_something_else_is_spoken_as_always(session: AgentSession[None]) -> None:
    otherwise = Otherwise()
    assert await said(GreetingPrefetch(session, GREETING), otherwise, "Hello, ", "Emma.") == 0
    assert otherwise.asked == ["Hello, Emma."]


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 503}, {"break_after_chunks": 0}])
async def test_a_voice_that_failed_before_the_session_was_there_is_asked_again(
    service: OpenAIStandIn, session: AgentSession[None], fault: dict[str, Any]
) -> None:
    service.faults.append(Fault(endpoint="speech", times=100, **fault))
    otherwise = Otherwise()
    assert await said(GreetingPrefetch(session, GREETING), otherwise, GREETING) == 0
    assert otherwise.asked == [GREETING]


async def test_a_greeting_that_nobody_comes_to_hear_is_stopped(
    session: AgentSession[None],
) -> None:
    others = asyncio.all_tasks()
    await GreetingPrefetch(session, GREETING).aclose()
    assert asyncio.all_tasks() <= others
