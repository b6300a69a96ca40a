"""The language model: an `llm.LLM` that waits with patience, and turns to its fallback."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, llm

from agent.call.models.back_off import Patience
from agent.call.models.providers import Progress, Provider, Providers


class PatientLLM(llm.LLM[Any]):
    """Asks the first provider, again where it fails, and the next ones in its place.

    Streams raise `ModelError`; LiveKit's own retries are not used.
    """

    def __init__(
        self,
        providers: Sequence[Provider[llm.LLM[Any]]],
        patience: Patience,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__()
        self._attempt_seconds = patience.attempt_seconds
        self._providers = Providers(providers, patience, is_speech=False, jitter=jitter)

    @property
    def model(self) -> str:
        return self._providers.next.model

    @property
    def provider(self) -> str:
        return self._providers.next.provider

    def prewarm(self, **options: Any) -> None:
        self._providers.next.prewarm(**options)

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **others: Any,
    ) -> llm.LLMStream:
        """`conn_options` are not looked at: the patience was given."""
        return _Answer(self, self._providers, self._attempt_seconds, chat_ctx, tools or [], others)

    async def aclose(self) -> None:
        await self._providers.aclose()


class _Answer(llm.LLMStream):
    def __init__(
        self,
        own: PatientLLM,
        providers: Providers[llm.LLM[Any]],
        attempt_seconds: float,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        others: dict[str, Any],
    ) -> None:
        once = APIConnectOptions(max_retry=0, timeout=attempt_seconds)
        super().__init__(own, chat_ctx=chat_ctx, tools=tools, conn_options=once)
        self._providers = providers
        self._others = others

    async def _run(self) -> None:
        self._providers.probe(self._ask_in_vain)
        await self._providers.ask(self._ask)

    async def _ask(self, model: llm.LLM[Any], progress: Progress) -> None:
        async with self._chat(model) as stream:
            async for chunk in stream:
                if _has_words(chunk):
                    progress.begin()
                self._event_ch.send_nowait(chunk)

    async def _ask_in_vain(self, model: llm.LLM[Any], progress: Progress) -> None:
        async with self._chat(model) as stream:
            async for chunk in stream:
                if _has_words(chunk):
                    progress.begin()

    def _chat(self, model: llm.LLM[Any]) -> llm.LLMStream:
        return model.chat(
            chat_ctx=self._chat_ctx,
            tools=self._tools,
            conn_options=self._conn_options,
            **self._others,
        )


def _has_words(chunk: llm.ChatChunk) -> bool:
    delta = chunk.delta
    return bool(delta and ((delta.content or "").strip() or delta.tool_calls))
