"""A provider that fails in a call: what is asked again, what is not, and who takes over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from livekit.agents import APIError, APIStatusError, ChatContext

from agent.call.broken_answers import broke_off
from agent.call.providers import Clients, Mind, build_mind, build_voice, connect_options
from config.services import OpenAISettings
from workbench.loopback.openai_v1.faults import Fault
from workbench.loopback.openai_v1.server import LOCAL_KEY, OpenAIStandIn

IMPATIENT = {"llm_patience_seconds": 0.8, "tts_patience_seconds": 0.8}
FALLBACK = {
    "fallback_llm_model": "gpt-4o-mini",
    "fallback_tts_model": "tts-1",
    "fallback_api_key": LOCAL_KEY,
}
OUT_OF_QUOTA = {"status": 429, "code": "insufficient_quota", "times": 100}
REFUSED = {"status": 401, "times": 100}
DOWN = {"status": 503, "times": 100}
SILENT = {"hang": True, "times": 100}
STALLED = {"stall_after_chunks": 0, "times": 100}


@pytest.fixture
async def first() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn() as stand_in:
        yield stand_in


@pytest.fixture
async def second() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn() as stand_in:
        yield stand_in


def settings(first: OpenAIStandIn, **others: Any) -> OpenAISettings:
    return OpenAISettings.model_validate(
        {"api_key": LOCAL_KEY, "base_url": first.url, **IMPATIENT, **others}
    )


async def answer(chosen: OpenAISettings) -> str:
    async with aclosing(Clients.of(chosen)) as clients, build_mind(chosen, clients) as mind:
        return await thought(mind, chosen)


async def thought(mind: Mind, chosen: OpenAISettings) -> str:
    """What the mind says to a question, asked as a session asks."""
    chat = ChatContext.empty()
    chat.add_message(role="user", content="what is seven plus five")
    options = connect_options(chosen).llm_conn_options
    async with mind.chat(chat_ctx=chat, conn_options=options) as stream:
        return "".join([chunk.delta.content or "" async for chunk in stream if chunk.delta])


async def speech_seconds(chosen: OpenAISettings) -> float:
    """How long the voice speaks, asked as a session asks."""
    options = connect_options(chosen).tts_conn_options
    async with (
        aclosing(Clients.of(chosen)) as clients,
        build_voice(chosen, clients) as voice,
        voice.synthesize("It is twelve.", conn_options=options) as stream,
    ):
        return sum([audio.frame.duration async for audio in stream])


ASK = {"chat": answer, "speech": speech_seconds}
ENDPOINTS = pytest.mark.parametrize("endpoint", ["chat", "speech"])


@ENDPOINTS
@pytest.mark.parametrize("fault", [DOWN, REFUSED, OUT_OF_QUOTA, SILENT, STALLED])
async def test_the_fallback_answers_for_a_provider_that_fails(
    first: OpenAIStandIn, second: OpenAIStandIn, endpoint: Any, fault: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint=endpoint, **fault))
    chosen = settings(first, **FALLBACK, fallback_base_url=second.url)
    assert await ASK[endpoint](chosen)
    (request,) = second.requests
    assert request.body["model"] in ("gpt-4o-mini", "tts-1")


@ENDPOINTS
@pytest.mark.parametrize("fault", [DOWN, SILENT, STALLED])
async def test_without_a_fallback_a_provider_that_fails_is_asked_once_more(
    first: OpenAIStandIn, endpoint: Any, fault: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint=endpoint, **{**fault, "times": 1}))
    assert await ASK[endpoint](settings(first))
    assert len(first.requests) == 2


@ENDPOINTS
@pytest.mark.parametrize("fault", [DOWN, SILENT, STALLED])
async def test_and_not_a_third_time(
    first: OpenAIStandIn, endpoint: Any, fault: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint=endpoint, **fault))
    with pytest.raises(APIError):
        await ASK[endpoint](settings(first))
    assert len(first.requests) == 2


@ENDPOINTS
@pytest.mark.parametrize(("fault", "status"), [(REFUSED, 401), (OUT_OF_QUOTA, 402)])
async def test_a_provider_that_refuses_is_not_asked_again(
    first: OpenAIStandIn, endpoint: Any, fault: dict[str, Any], status: int
) -> None:
    first.faults.append(Fault(endpoint=endpoint, **fault))
    with pytest.raises(APIStatusError) as refused:
        await ASK[endpoint](settings(first))
    assert refused.value.status_code == status
    assert len(first.requests) == 1


async def failure(chosen: OpenAISettings) -> Any:
    """What a session is told when it asks the mind in vain."""
    told: list[Any] = []
    async with aclosing(Clients.of(chosen)) as clients, build_mind(chosen, clients) as mind:
        mind.on("error", told.append)
        with pytest.raises(APIError):
            await thought(mind, chosen)
    return told[-1]


@pytest.mark.parametrize("fault", [{"break_after_chunks": 3}, {"stall_after_chunks": 3}])
@pytest.mark.parametrize("others", [{}, FALLBACK], ids=["alone", "with a fallback"])
async def test_an_answer_that_breaks_off_is_not_asked_for_again(
    first: OpenAIStandIn, fault: dict[str, Any], others: dict[str, Any]
) -> None:
    """The caller has heard a part of it, and a tool may have been called."""
    first.faults.append(Fault(endpoint="chat", **fault))
    assert broke_off(await failure(settings(first, **others)))
    assert "gpt-4o-mini" not in [request.body["model"] for request in first.requests]


@pytest.mark.parametrize("fault", [DOWN, REFUSED, OUT_OF_QUOTA, SILENT])
@pytest.mark.parametrize("others", [{}, FALLBACK], ids=["alone", "with a fallback"])
async def test_a_model_that_fails_from_the_start_did_not_break_off(
    first: OpenAIStandIn, fault: dict[str, Any], others: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint="chat", **fault))
    assert not broke_off(await failure(settings(first, **others)))


@ENDPOINTS
async def test_a_limited_rate_is_worth_another_try(first: OpenAIStandIn, endpoint: Any) -> None:
    first.faults.append(Fault(endpoint=endpoint, status=429))
    assert await ASK[endpoint](settings(first))
    assert len(first.requests) == 2


async def test_the_first_provider_is_used_again_once_it_answers(
    first: OpenAIStandIn, second: OpenAIStandIn
) -> None:
    first.faults.append(Fault(endpoint="chat", status=503))
    chosen = settings(first, **FALLBACK, fallback_base_url=second.url)
    recovered = asyncio.Event()
    async with aclosing(Clients.of(chosen)) as clients, build_mind(chosen, clients) as mind:
        mind.on("llm_availability_changed", lambda e: recovered.set() if e.available else None)
        await thought(mind, chosen)
        async with asyncio.timeout(10):
            await recovered.wait()
        await thought(mind, chosen)
    assert len(second.requests) == 1


async def test_a_failure_is_logged_in_the_providers_words_and_without_its_key(
    first: OpenAIStandIn, second: OpenAIStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = settings(first, **FALLBACK, api_key="mistyped", fallback_base_url=second.url)
    assert await speech_seconds(chosen)
    (told, *_) = [line for line in caplog.records if line.name == "agent.call.providers"]
    assert "Incorrect API key provided" in vars(told)["error"]
    assert vars(told)["model"] == "gpt-4o-mini-tts"
    assert "mistyped" not in caplog.text


async def test_a_second_key_alone_is_another_account_with_the_same_provider(
    first: OpenAIStandIn,
) -> None:
    async with aclosing(Clients.of(settings(first, **FALLBACK))) as clients:
        assert clients.fallback.base_url == clients.first.base_url
        assert clients.fallback is not clients.first
