"""A provider that fails in a call: what is asked again, what is not, and who takes over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, nullcontext
from itertools import pairwise
from typing import Any

import pytest
from livekit.agents import APIConnectionError, ChatContext, tts

from agent.call.models.errors import (
    BrokenOffError,
    ModelError,
    RefusedError,
    UnavailableError,
)
from agent.call.models.llm import PatientLLM
from agent.call.providers import Clients, build_llm, build_tts
from config.services import OpenAISettings
from workbench.standins.openai_v1.faults import Fault
from workbench.standins.openai_v1.server import LOCAL_KEY, OpenAIStandIn

IMPATIENT = {"llm_patience_seconds": 0.4, "tts_patience_seconds": 0.4, "patience_seconds": 1}
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
    async with aclosing(Clients.of(chosen)) as clients, build_llm(chosen, clients) as model:
        return await thought(model)


async def thought(model: PatientLLM) -> str:
    """What the model says to a question, asked as a session asks."""
    chat = ChatContext.empty()
    chat.add_message(role="user", content="what is seven plus five")
    async with model.chat(chat_ctx=chat) as stream:
        return "".join([chunk.delta.content or "" async for chunk in stream if chunk.delta])


async def speech_seconds(chosen: OpenAISettings) -> float:
    """How long the voice speaks, asked as a session asks."""
    async with (
        aclosing(Clients.of(chosen)) as clients,
        build_tts(chosen, clients) as voice,
        voice.synthesize("It is twelve.") as stream,
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
async def test_without_a_fallback_a_provider_that_fails_is_asked_again(
    first: OpenAIStandIn, endpoint: Any, fault: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint=endpoint, **{**fault, "times": 1}))
    assert await ASK[endpoint](settings(first))
    assert len(first.requests) == 2


@ENDPOINTS
@pytest.mark.parametrize("fault", [DOWN, SILENT, STALLED])
async def test_until_the_whole_patience_is_over(
    first: OpenAIStandIn, endpoint: Any, fault: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint=endpoint, **fault))
    began = asyncio.get_running_loop().time()
    with pytest.raises(UnavailableError) as failed:
        await ASK[endpoint](settings(first))
    assert 0.5 < asyncio.get_running_loop().time() - began < 8
    assert first.url in failed.value.message
    assert first.requests[0].body["model"] in failed.value.message


@ENDPOINTS
async def test_the_pauses_between_two_tries_grow(first: OpenAIStandIn, endpoint: Any) -> None:
    first.faults.append(Fault(endpoint=endpoint, status=500, times=3))
    assert await ASK[endpoint](settings(first, patience_seconds=20))
    times = [request.began_at for request in first.requests]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses == sorted(pauses)


@ENDPOINTS
@pytest.mark.parametrize("fault", [REFUSED, OUT_OF_QUOTA])
async def test_a_provider_that_refuses_is_not_asked_again(
    first: OpenAIStandIn, endpoint: Any, fault: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint=endpoint, **fault))
    with pytest.raises(RefusedError):
        await ASK[endpoint](settings(first))
    assert len(first.requests) == 1


async def failure(chosen: OpenAISettings) -> Any:
    """What a session is told when it asks the model in vain."""
    told: list[Any] = []
    async with aclosing(Clients.of(chosen)) as clients, build_llm(chosen, clients) as model:
        model.on("error", told.append)
        with pytest.raises(ModelError):
            await thought(model)
    return told[-1]


@pytest.mark.parametrize("fault", [{"break_after_chunks": 3}, {"stall_after_chunks": 3}])
@pytest.mark.parametrize("others", [{}, FALLBACK], ids=["alone", "with a fallback"])
async def test_an_answer_that_breaks_off_is_not_asked_for_again(
    first: OpenAIStandIn, fault: dict[str, Any], others: dict[str, Any]
) -> None:
    """The caller has heard a part of it, and a tool may have been called."""
    first.faults.append(Fault(endpoint="chat", **fault))
    assert isinstance((await failure(settings(first, **others))).error, BrokenOffError)
    assert "gpt-4o-mini" not in [request.body["model"] for request in first.requests]


@pytest.mark.parametrize("fault", [DOWN, REFUSED, OUT_OF_QUOTA, SILENT])
@pytest.mark.parametrize("others", [{}, FALLBACK], ids=["alone", "with a fallback"])
async def test_a_model_that_fails_from_the_start_did_not_break_off(
    first: OpenAIStandIn, fault: dict[str, Any], others: dict[str, Any]
) -> None:
    first.faults.append(Fault(endpoint="chat", **fault))
    assert not isinstance((await failure(settings(first, **others))).error, BrokenOffError)


@ENDPOINTS
async def test_a_limited_rate_is_worth_another_try(first: OpenAIStandIn, endpoint: Any) -> None:
    first.faults.append(Fault(endpoint=endpoint, status=429))
    assert await ASK[endpoint](settings(first))
    assert len(first.requests) == 2


async def test_a_failure_is_logged_in_the_providers_words_and_without_its_key(
    first: OpenAIStandIn, second: OpenAIStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = settings(first, **FALLBACK, api_key="mistyped", fallback_base_url=second.url)
    assert await speech_seconds(chosen)
    (told, *_) = [line for line in caplog.records if line.name == "agent.call.models.fallback"]
    assert "Incorrect API key provided" in vars(told)["error"]
    assert vars(told)["model"] == "gpt-4o-mini-tts"
    assert "mistyped" not in caplog.text


async def test_a_second_key_alone_is_another_account_with_the_same_provider(
    first: OpenAIStandIn,
) -> None:
    async with aclosing(
        Clients.of(settings(first, **{**FALLBACK, "fallback_api_key": "other"}))
    ) as clients:
        assert clients.fallback_llm.base_url == clients.llm.base_url
        assert clients.fallback_llm is not clients.llm


async def test_each_model_may_be_at_an_address_of_its_own(
    first: OpenAIStandIn, second: OpenAIStandIn
) -> None:
    chosen = settings(first, tts_base_url=second.url, tts_api_key=LOCAL_KEY)
    assert await answer(chosen)
    assert await speech_seconds(chosen)
    assert [each.requests[0].endpoint for each in (first, second)] == ["chat", "speech"]


async def test_a_server_without_the_model_is_named_with_it(first: OpenAIStandIn) -> None:
    chosen = settings(
        first, tts_base_url=first.url.replace("/v1", "/only-chat/v1"), tts_api_key="k"
    )
    with pytest.raises(RefusedError) as refused:
        await speech_seconds(chosen)
    assert refused.value.message.startswith(f"{chosen.tts_model} at {chosen.tts_base_url}")
    assert "404" in refused.value.message


@pytest.mark.parametrize(("sample_rate", "takes_over"), [(24_000, True), (16_000, False)])
async def test_a_fallback_takes_over_from_a_voice_of_ones_own_if_it_has_the_same_sample_rate(
    first: OpenAIStandIn, sample_rate: int, takes_over: bool
) -> None:
    chosen = settings(first, fallback_tts_model="tts-1")
    async with (
        aclosing(Clients.of(chosen)) as clients,
        build_tts(chosen, clients, own=Mute(sample_rate)) as voice,
        voice.synthesize("It is twelve.") as stream,
    ):
        frames: list[Any] = []
        with nullcontext() if takes_over else pytest.raises(ModelError):
            frames = [audio.frame async for audio in stream]
    assert bool(frames) is takes_over


class Mute(tts.TTS[Any]):
    """A plugin's voice that always fails."""

    def __init__(self, sample_rate: int) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=sample_rate, num_channels=1)

    def synthesize(self, text: str, *, conn_options: Any = None) -> tts.ChunkedStream:
        raise APIConnectionError("mute")
