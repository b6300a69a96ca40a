"""Ears, mind and voice: whom a call turns to, how long it waits for them, and who takes over.

A provider that is down or slow is asked once more, or its fallback in its place; one that refuses
the key or has no quota left is not asked again for that request. LiveKit's fallback adapters try
it anew in the background, with each later request, and go back to it once it answers.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx2
from livekit.agents import APIConnectOptions, APIError, inference, llm, stt, tts
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.plugins import openai
from openai import AsyncClient
from pydantic import SecretStr

from config.services import AssemblyAISettings, OpenAISettings
from config.settings import Settings
from stt_assemblyai.stt import STT

log = logging.getLogger(__name__)

# With other ears at hand an outage is not worth the words that they would miss.
PATIENCE_WITH_FALLBACK_SECONDS = 3.0
SPEECH_PATH = "/audio/speech"

Hearing = STT | stt.FallbackAdapter
Mind = openai.LLM | llm.FallbackAdapter
Voice = openai.TTS | tts.FallbackAdapter
# LiveKit's base classes are generic over their own events' names.
Provider = stt.STT[Any] | llm.LLM[Any] | tts.TTS[Any]


@dataclass(frozen=True, slots=True)
class Clients:
    """HTTP clients of the mind's and the voice's providers, which share them.

    Making one takes 150 ms and more, for its TLS; they serve every call of a process.
    """

    first: AsyncClient
    fallback: AsyncClient

    @classmethod
    def of(cls, settings: OpenAISettings) -> "Clients":
        """Clients as the settings want them; nothing is connected yet."""
        first = _client(settings.base_url, settings.api_key, settings.tts_patience_seconds)
        if settings.fallback_api_key is None:
            return cls(first, first)
        address = settings.fallback_base_url or settings.base_url
        return cls(
            first, _client(address, settings.fallback_api_key, settings.tts_patience_seconds)
        )

    async def aclose(self) -> None:
        """Close their connections. In a job's process it is the process's end that does."""
        await self.first.close()
        await self.fallback.close()


def build_ears(settings: Settings) -> STT:
    """AssemblyAI, in another region where the first cannot be reached."""
    service = settings.assemblyai
    patience = service.patience_seconds
    if service.fallback_inference_model:
        patience = min(patience, PATIENCE_WITH_FALLBACK_SECONDS)
    return ears_of(
        service,
        options=settings.session_options,
        patience_seconds=patience,
        preflight_confidence=service.preflight_confidence,
        eager_ms=service.eager_ms,
    )


def ears_of(service: AssemblyAISettings, **own: Any) -> STT:
    """AssemblyAI as its settings want it, but for the arguments of `STT` that are given."""
    shared: dict[str, Any] = {
        "api_key": service.api_key,
        "base_url": service.regions,
        "patience_seconds": service.patience_seconds,
        "idle_seconds": service.idle_seconds,
        "new_sessions_per_minute": service.new_sessions_per_minute,
        "wait_for_formatted_ms": service.wait_for_formatted_ms,
    }
    return STT(**{**shared, **own})


def with_inference(ears: STT, settings: Settings) -> Hearing:
    """These ears, and a model of LiveKit Inference behind them where one is set."""
    model = settings.assemblyai.fallback_inference_model
    if model is None:
        return ears
    project = settings.livekit
    substitute = inference.STT(
        model=model,
        api_key=project.api_key.get_secret_value(),
        api_secret=project.api_secret.get_secret_value(),
    )
    return with_substitute(ears, substitute)


def with_substitute(ears: STT, substitute: stt.STT[Any]) -> Hearing:
    """These ears, and for the rest of a call in which they fail the substitute."""
    _tell_failures(ears, substitute)
    # Ours have tried often enough before they give up.
    return stt.FallbackAdapter([ears, substitute], max_retry_per_stt=0)


def build_mind(settings: OpenAISettings, clients: Clients) -> Mind:
    """The model that thinks, and its fallback if there is one."""
    first = openai.LLM(model=settings.llm_model, client=clients.first)
    if settings.fallback_llm_model is None:
        return first
    fallback = openai.LLM(model=settings.fallback_llm_model, client=clients.fallback)
    _tell_failures(first, fallback)
    return llm.FallbackAdapter([first, fallback], attempt_timeout=settings.llm_patience_seconds)


def build_voice(settings: OpenAISettings, clients: Clients) -> Voice:
    """The model that speaks, and its fallback if there is one."""
    # Raw samples can be played from the first one on; mp3 has to be decoded in frames.
    speak = partial(openai.TTS, response_format="pcm")
    first = speak(model=settings.tts_model, voice=settings.tts_voice, client=clients.first)
    if settings.fallback_tts_model is None:
        return first
    fallback = speak(
        model=settings.fallback_tts_model,
        voice=settings.fallback_tts_voice or settings.tts_voice,
        client=clients.fallback,
    )
    _tell_failures(first, fallback)
    return tts.FallbackAdapter([first, fallback], max_retry_per_tts=0)


def connect_options(settings: OpenAISettings) -> SessionConnectOptions:
    """Deadlines and retries of a session: a fallback stands in the place of a second try."""

    def options(patience_seconds: float, fallback: str | None) -> APIConnectOptions:
        return APIConnectOptions(timeout=patience_seconds, max_retry=0 if fallback else 1)

    return SessionConnectOptions(
        llm_conn_options=options(settings.llm_patience_seconds, settings.fallback_llm_model),
        tts_conn_options=options(settings.tts_patience_seconds, settings.fallback_tts_model),
        # `agent.call.answer` ends the call at the first one; until the apology is spoken, the
        # session must not close by itself.
        max_unrecoverable_errors=1000,
    )


def _client(base_url: str, key: SecretStr, tts_patience_seconds: float) -> AsyncClient:
    hooks: dict[str, list[Callable[..., Awaitable[None]]]] = {
        "request": [partial(_limit_silence, tts_patience_seconds)],
        "response": [_tell_quota_from_rate],
    }
    return AsyncClient(
        api_key=key.get_secret_value(),
        base_url=base_url,
        max_retries=0,  # LiveKit retries
        http_client=httpx2.AsyncClient(
            follow_redirects=True,
            limits=httpx2.Limits(keepalive_expiry=120),  # a call thinks about once in ten seconds
            event_hooks=hooks,
        ),
    )


async def _limit_silence(seconds: float, request: httpx2.Request) -> None:
    """LiveKit's plugin grants every speech request 30 s to its first byte."""
    if request.url.path.endswith(SPEECH_PATH):
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        request.extensions["timeout"] = timeouts


async def _tell_quota_from_rate(response: httpx2.Response) -> None:
    """OpenAI answers 429 to both; LiveKit asks again after a 429, which no quota grows by."""
    limited = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    if limited and b"insufficient_quota" in await response.aread():
        response.status_code = HTTPStatus.PAYMENT_REQUIRED


def _tell_failures(*providers: Provider) -> None:
    """Log each failure in the provider's own words: the adapters' own error has none of them."""
    for provider in providers:
        provider.on("error", partial(_tell_failure, provider.label, provider.model))


def _tell_failure(
    label: str, model: str, failure: stt.STTError | llm.LLMError | tts.TTSError
) -> None:
    error = failure.error
    log.warning(
        "a model failed, its fallback takes over",
        extra={
            "provider": label,
            "model": model,
            "error": error.message if isinstance(error, APIError) else str(error),
        },
    )
