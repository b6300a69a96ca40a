"""A language model and a voice at a provider that answers as a test tells it; time is virtual."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import ChatContext, telemetry
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.call.models.llm import PatientLLM
from agent.call.models.tts import PatientTTS
from agent.call.providers import Clients, build_llm, build_tts
from config.services import OpenAISettings
from workbench.bench.misbehaviour.network import Asked, Network, Reply


class Provider:
    """Gives these replies, one a request; the last one again and again."""

    def __init__(self, replies: list[Reply]) -> None:
        self.network = Network(self._answer)
        self._replies = replies

    def _answer(self, _: Asked) -> Reply:
        return self._replies[min(len(self.network.requests), len(self._replies) - 1)]

    @property
    def times(self) -> list[float]:
        """When it was asked, in seconds since the first time."""
        times = [asked.at_seconds for asked in self.network.requests]
        return [round(time - times[0], 2) for time in times]


class Place:
    """A model and a voice at this provider."""

    def __init__(self, provider: Provider, model: PatientLLM, voice: PatientTTS) -> None:
        self.provider = provider
        self.llm = model
        self.voice = voice

    async def think(self) -> str:
        """What the model says."""
        chat = ChatContext.empty()
        chat.add_message(role="user", content="Hello?")
        said = ""
        async with self.llm.chat(chat_ctx=chat) as stream:
            async for chunk in stream:
                said += (chunk.delta and chunk.delta.content) or ""
        return said.strip()

    async def speak(self) -> rtc.AudioFrame:
        """What the voice makes of a sentence."""
        return await self.voice.synthesize("It is twelve.").collect()


@pytest.fixture
async def place() -> AsyncIterator[Callable[..., Place]]:
    """`place(*replies, **settings)`."""
    async with AsyncExitStack() as stack:

        def build(*replies: Reply, **others: Any) -> Place:
            provider = Provider(list(replies))
            settings = OpenAISettings.model_validate({"api_key": "key", **others})
            clients = Clients.of(settings, provider.network.pool)
            model, voice = build_llm(settings, clients), build_tts(settings, clients)
            for each in (clients, model, voice):
                stack.push_async_callback(each.aclose)
            return Place(provider, model, voice)

        yield build


@pytest.fixture
def traced() -> Iterator[InMemorySpanExporter]:
    """Holds the spans of this test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.tracer.set_provider(provider)
    yield exporter
    telemetry.tracer.set_provider(trace.get_tracer_provider())
