"""The language model: an `llm.LLM` with retries and a fallback."""

import logging
import random
from collections.abc import Callable, Sequence
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, APIStatusError, llm

from agent.call.models.alternation import Order, in_order, wanted_order
from agent.call.models.back_off import Patience
from agent.call.models.errors import described
from agent.call.models.fallback import OnTry, Progress, Provider, Providers
from agent.livekit_private import Asks, chunks

log = logging.getLogger(__name__)


class PatientLLM(llm.LLM[Any]):
    """Asks the first provider, retries if it fails, and asks the next ones in its place.

    Streams raise `ModelError`. LiveKit's own retries are not used.
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
        self._orders: dict[llm.LLM[Any], Order] = {}
        """The order of messages that each model's server has asked for."""

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
        """Ignores `conn_options`: `Patience` decides."""
        return _Answer(self, self._providers, self._attempt_seconds, chat_ctx, tools or [], others)

    def order_for(self, model: llm.LLM[Any]) -> Order:
        """The order in which this model's server takes messages; ANY until it has refused one."""
        return self._orders.get(model, Order.ANY)

    def learn_order(self, model: llm.LLM[Any], refusal: APIStatusError) -> bool:
        """Use the order that a refusal asks for from now on. Returns whether that is a stricter
        one."""
        wanted = wanted_order(described(refusal.body)[1])
        if wanted <= self.order_for(model):
            return False
        self._orders[model] = wanted
        log.info("the model wants roles to alternate", extra={"model": model.model})
        return True

    def on_try(self, tell: OnTry) -> None:
        """Call this, too, after each try of a provider, in its task."""
        self._providers.listeners.append(tell)

    async def aclose(self) -> None:
        await self._providers.aclose()


class _Answer(Asks, llm.LLMStream):
    def __init__(
        self,
        own: PatientLLM,
        providers: Providers[llm.LLM[Any]],
        attempt_seconds: float,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        others: dict[str, Any],
    ) -> None:
        self._once = APIConnectOptions(max_retry=0, timeout=attempt_seconds)
        super().__init__(own, chat_ctx=chat_ctx, tools=tools, conn_options=self._once)
        self._own = own
        self._providers = providers
        self._others = others

    async def _run(self) -> None:
        self._providers.probe(self._ask_in_vain)
        await self._providers.ask(self._ask)

    async def _ask(self, model: llm.LLM[Any], progress: Progress) -> None:
        await self._listen(model, progress, chunks(self).send_nowait)

    async def _ask_in_vain(self, model: llm.LLM[Any], progress: Progress) -> None:
        await self._listen(model, progress, lambda _: None)

    async def _listen(
        self, model: llm.LLM[Any], progress: Progress, tell: Callable[[llm.ChatChunk], None]
    ) -> None:
        """Pass one answer on. Asks once more if the server wants another order of messages."""
        try:
            async with self._chat(model) as stream:
                async for chunk in stream:
                    if _has_words(chunk):
                        progress.begin()
                    tell(chunk)
        except APIStatusError as refusal:
            if not self._own.learn_order(model, refusal):
                raise
            await self._listen(model, progress, tell)

    def _chat(self, model: llm.LLM[Any]) -> llm.LLMStream:
        return model.chat(
            chat_ctx=in_order(self.chat_ctx, self._own.order_for(model)),
            tools=self.tools,
            conn_options=self._once,
            **self._others,
        )


def _has_words(chunk: llm.ChatChunk) -> bool:
    delta = chunk.delta
    return bool(delta and ((delta.content or "").strip() or delta.tool_calls))
