"""The STT, the LLM and the TTS: which providers a call uses, how long it waits, who takes over.

`agent.call.models` decides which failed requests are tried again, and how.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from livekit.agents import APIConnectOptions, APIError, inference, llm, stt, tts
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.plugins import openai
from openai import AsyncClient

from agent.call.models.back_off import Patience
from agent.call.models.connections import Network
from agent.call.models.fallback import Provider
from agent.call.models.http import openai_client
from agent.call.models.llm import PatientLLM
from agent.call.models.tts import PatientTTS
from agent.fleet.client import open_redis
from config.services import Account, AssemblyAISettings, OpenAISettings
from config.settings import Settings
from stt_assemblyai.stt import STT

if TYPE_CHECKING:
    from agent.fleet.budget import FleetBudget

log = logging.getLogger(__name__)

# With a fallback, waiting out an outage would only lose words that the fallback could hear.
PATIENCE_WITH_FALLBACK_SECONDS = 3.0

AnySTT = stt.STT[Any]


@dataclass(frozen=True, slots=True)
class Clients:
    """HTTP clients for the accounts of the LLM and the TTS. They serve every call of a process.

    Making one takes 150 ms and more, for its TLS.
    """

    llm: AsyncClient
    tts: AsyncClient
    fallback_llm: AsyncClient
    fallback_tts: AsyncClient

    @classmethod
    def of(cls, settings: OpenAISettings, network: Network | None = None) -> "Clients":
        """Clients for these settings, on this network. Opens no connection."""
        made: dict[Account, AsyncClient] = {}

        def client(account: Account) -> AsyncClient:
            if account not in made:
                key = account.api_key.get_secret_value()
                made[account] = openai_client(account.base_url, key, network)
            return made[account]

        return cls(
            client(settings.llm),
            client(settings.tts),
            client(settings.fallback or settings.llm),
            client(settings.fallback or settings.tts),
        )

    async def aclose(self) -> None:
        """Close their connections. A job's process does not need this: its end closes them."""
        for client in (self.llm, self.tts, self.fallback_llm, self.fallback_tts):
            await client.close()


def build_stt(settings: Settings) -> STT:
    """AssemblyAI, with its other regions if the first cannot be reached."""
    service = settings.assemblyai
    patience = service.patience_seconds
    if service.fallback_inference_model:
        patience = min(patience, PATIENCE_WITH_FALLBACK_SECONDS)
    return assemblyai_stt(
        service,
        budget=shared_budget(settings),
        options=settings.session_options,
        patience_seconds=patience,
        preflight_confidence=service.preflight_confidence,
        eager_ms=service.eager_ms,
    )


def shared_budget(settings: Settings) -> "FleetBudget | None":
    """The budget of new sessions that the fleet shares; None where each machine has its own."""
    per_minute = settings.assemblyai.new_sessions_per_minute
    redis = open_redis(settings.agent.redis_url)
    if redis is None or per_minute is None:
        return None
    from agent.fleet.budget import fleet_budget  # only who has a Redis imports its library

    return fleet_budget(redis, per_minute, settings.assemblyai.api_key.get_secret_value())


def assemblyai_stt(service: AssemblyAISettings, **own: Any) -> STT:
    """AssemblyAI with these settings; the arguments of `STT` in `own` win over them."""
    shared: dict[str, Any] = {
        "api_key": service.api_key,
        "base_url": service.regions,
        "patience_seconds": service.patience_seconds,
        "idle_seconds": service.idle_seconds,
        "new_sessions_per_minute": service.new_sessions_per_minute,
        "wait_for_formatted_ms": service.wait_for_formatted_ms,
        "agent_context_carryover": False,  # what the agent says may be personal as well
    }
    return STT(**{**shared, **own})


def with_inference(primary: STT, settings: Settings) -> AnySTT:
    """This STT, with a model of LiveKit Inference as its fallback if one is set."""
    model = settings.assemblyai.fallback_inference_model
    if model is None:
        return primary
    project = settings.livekit
    fallback = inference.STT(
        model=model,
        api_key=project.api_key.get_secret_value(),
        api_secret=project.api_secret.get_secret_value(),
    )
    return with_fallback(primary, fallback)


def with_fallback(primary: STT, fallback: stt.STT[Any]) -> AnySTT:
    """This STT; once it fails, the fallback for the rest of the call."""
    _log_failures(primary, fallback)
    # Ours has retried often enough before it gives up.
    return stt.FallbackAdapter([primary, fallback], max_retry_per_stt=0)


def build_llm(
    settings: OpenAISettings,
    clients: Clients,
    jitter: Callable[[], float] = random.random,
    own: llm.LLM[Any] | None = None,
) -> PatientLLM:
    """The LLM, with its fallback if there is one. `jitter`: the back-off's, from 0 to 1. `own`
    takes the place of the first."""
    chosen = [(settings.llm_model, clients.llm)]
    if settings.fallback_llm_model:
        chosen.append((settings.fallback_llm_model, clients.fallback_llm))
    providers: list[Provider[llm.LLM[Any]]] = [
        Provider(openai.LLM(model=model, client=client), str(client.base_url))
        for model, client in chosen
    ]
    if own:
        providers[0] = Provider(own, own.provider)
    patience = Patience(settings.llm_patience_seconds, settings.patience_seconds)
    return PatientLLM(providers, patience, jitter)


def build_tts(
    settings: OpenAISettings,
    clients: Clients,
    jitter: Callable[[], float] = random.random,
    own: tts.TTS[Any] | None = None,
) -> PatientTTS:
    """The TTS, with its fallback if there is one. `jitter`: the back-off's, from 0 to 1. `own`
    takes the place of the first; a fallback with another sample rate is left out."""
    chosen = [(settings.tts_model, settings.tts_voice, clients.tts)]
    if settings.fallback_tts_model:
        voice = settings.fallback_tts_voice or settings.tts_voice
        chosen.append((settings.fallback_tts_model, voice, clients.fallback_tts))
    providers: list[Provider[tts.TTS[Any]]] = [
        # Raw samples can be played from the first one on; mp3 has to be decoded by frames.
        Provider(
            openai.TTS(model=model, voice=voice, client=client, response_format="pcm"),
            str(client.base_url),
        )
        for model, voice, client in chosen
    ]
    if own:
        alike = [each for each in providers[1:] if each.model.sample_rate == own.sample_rate]
        providers = [Provider(own, own.provider), *alike]
    patience = Patience(settings.tts_patience_seconds, settings.patience_seconds)
    return PatientTTS(providers, patience, jitter)


def connect_options() -> SessionConnectOptions:
    """Keeps the session from handling failures by itself: no retries, and no close."""
    once = APIConnectOptions(max_retry=0)
    return SessionConnectOptions(
        llm_conn_options=once,
        tts_conn_options=once,
        # `agent.call.answer` ends the call at the first error. Until the apology has been spoken,
        # the session must not close by itself.
        max_unrecoverable_errors=1000,
    )


def _log_failures(*models: stt.STT[Any]) -> None:
    """Log each failure in the provider's own words, which the adapter's error leaves out."""
    for each in models:
        each.on("error", partial(_log_failure, each.label, each.model))


def _log_failure(label: str, model: str, failure: stt.STTError) -> None:
    error = failure.error
    log.warning(
        "a model failed, its fallback takes over",
        extra={
            "provider": label,
            "model": model,
            "error": error.message if isinstance(error, APIError) else str(error),
        },
    )
