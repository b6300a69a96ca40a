"""The services LiveKit, AssemblyAI and OpenAI: where they are and how long to wait for them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from config.values import ApiKey, Filled, Section, openai_path, scheme
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.models import U3
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.service import DEFAULT_BASE_URL
from stt_assemblyai.timing import Timing

Price = Annotated[float, Field(ge=0, le=10_000)]
OpenAIAddress = Annotated[str, scheme("http", "https"), AfterValidator(openai_path)]


@dataclass(frozen=True, slots=True)
class Account:
    """The address of models, and the key for them."""

    base_url: str
    api_key: SecretStr


class LiveKitSettings(Section):
    """Where the worker registers. The prefix is LiveKit's own: unknown names pass."""

    url: Annotated[str, scheme("ws", "wss", "http", "https")] = Field(
        description="Address of the LiveKit server or LiveKit Cloud project.",
        examples=["wss://my-project.livekit.cloud"],
    )
    api_key: ApiKey = Field(
        description="LiveKit API key; it starts with API.", examples=["APIxxxxxxxxxxxxx"]
    )
    api_secret: ApiKey = Field(
        description="LiveKit API secret: the longer of the two.",
        examples=["the-secret-shown-once-beside-the-key"],
    )


class AssemblyAISettings(SessionOptions):
    """Speech recognition: where it is, and every parameter of a session."""

    model_config = ConfigDict(hide_input_in_errors=True)

    api_key: ApiKey = Field(
        description="AssemblyAI API key.", examples=["0123456789abcdef0123456789abcdef"]
    )
    base_url: Annotated[str, scheme("ws", "wss", path=False)] = Field(
        default=DEFAULT_BASE_URL,
        description="Scheme and host of the streaming service. "
        "wss://streaming.eu.assemblyai.com keeps audio in the EU.",
        examples=["wss://streaming.eu.assemblyai.com"],
    )

    patience_seconds: float = Field(
        default=20,
        ge=0,
        le=600,
        description="How long the service may be unreachable before the agent gives up the call. "
        "What is said meanwhile is kept and recognised afterwards.",
    )
    new_sessions_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="How many sessions all processes of this machine together may open in a "
        "minute: this machine's share of the account's limit (5 on a free account). With "
        "AGENT_REDIS_URL, of all machines together: the whole limit. "
        "Callers beyond it hear that nobody is free. Unset: no limit.",
        examples=["5"],
    )
    idle_seconds: float = Field(
        default=Timing().idle_seconds or 0,
        ge=0,
        le=10_800,
        description="How long audio may be missing, as from a muted microphone, before the session "
        "ends: an open one is billed. A new one opens when audio comes again. 0: never.",
    )
    fallback_base_url: Annotated[str, scheme("ws", "wss", path=False)] | None = Field(
        default=None,
        description="Another region, used with the same key whenever the first cannot be reached.",
        examples=["wss://streaming.eu.assemblyai.com"],
    )
    fallback_inference_model: Filled | None = Field(
        default=None,
        description="Model of LiveKit Inference that takes over a call when AssemblyAI refuses it "
        "or is away for three seconds. Only LiveKit Cloud has it.",
        examples=["assemblyai/universal-streaming"],
    )
    wait_for_formatted_ms: int = Field(
        default=TurnChoices().wait_for_formatted_ms,
        ge=0,
        le=5000,
        description="How long an ended turn may wait for its formatted transcript; "
        "0 takes the plain one at once. It never waits longer than the reply takes to be made.",
    )
    preflight_confidence: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="How sure the model has to be, 0 to 1, that a pause ends the turn before the "
        "agent begins its reply in that pause. Lower answers sooner, and throws more replies "
        "away. Unset: as sure as for ending the turn (0.4 for the universal-3 family).",
        examples=["0.5"],
    )
    price_per_hour: Price | None = Field(
        default=None,
        description="What an hour of an open session costs, in US dollars, for the cost of each "
        "call in its record.",
        examples=["0.15"],
    )
    eager_ms: int | None = Field(
        default=None,
        ge=40,
        le=1000,
        description="Begin the reply when the voice has been quiet for this many milliseconds "
        "after final words, before the service reports the pause (160 ms). Answers "
        "sooner, and throws more replies away; 80 is a good value. Unset: never.",
        examples=["80"],
    )

    @property
    def voice_threshold(self) -> float:
        """The probability below which the service hears silence; its own default if unset."""
        if self.vad_threshold is not None:
            return self.vad_threshold
        return 0.3 if self.family is U3 else 0.4

    @property
    def regions(self) -> list[str]:
        """The service's base URLs, in order of preference."""
        return [url for url in (self.base_url, self.fallback_base_url) if url]

    @property
    def session(self) -> SessionOptions:
        """Only the session parameters, as they were set."""
        return self.revised()


class OpenAISettings(Section):
    """The language model and the voice. OpenAI's client has this prefix too: unknown names pass."""

    api_key: ApiKey = Field(description="OpenAI API key.", examples=["sk-proj-xxxxxxxx"])
    base_url: OpenAIAddress = Field(
        default="https://api.openai.com/v1",
        description="Address of the OpenAI API or of a server that speaks it.",
        examples=["https://api.openai.com/v1"],
    )
    llm_model: Filled = Field(
        default="gpt-4.1-mini", description="Model that thinks.", examples=["gpt-4.1-mini"]
    )
    tts_model: Filled = Field(
        default="gpt-4o-mini-tts", description="Model that speaks.", examples=["gpt-4o-mini-tts"]
    )
    tts_voice: Filled = Field(
        default="ash", description="Voice that it speaks with.", examples=["ash"]
    )
    llm_api_key: ApiKey | None = Field(
        default=None,
        description="Key for the model that thinks. Unset: OPENAI_API_KEY.",
        examples=["sk-proj-zzzzzzzz"],
    )
    llm_base_url: OpenAIAddress | None = Field(
        default=None,
        description="Where the model that thinks is, if elsewhere. It needs OPENAI_LLM_API_KEY. "
        "Unset: OPENAI_BASE_URL.",
        examples=["http://127.0.0.1:11434/v1"],
    )
    tts_api_key: ApiKey | None = Field(
        default=None,
        description="Key for the model that speaks. Unset: OPENAI_API_KEY.",
        examples=["sk-proj-wwwwwwww"],
    )
    tts_base_url: OpenAIAddress | None = Field(
        default=None,
        description="Where the model that speaks is, if elsewhere. It needs OPENAI_TTS_API_KEY. "
        "Unset: OPENAI_BASE_URL.",
        examples=["http://127.0.0.1:8880/v1"],
    )
    patience_seconds: float = Field(
        default=20,
        ge=0,
        le=600,
        description="How long a caller waits, at most, for a model's first word or a voice's first "
        "sound. Until then a provider that is down, slow or busy is asked again, after growing "
        "pauses, and so is the fallback; then the call ends with an apology.",
    )
    llm_patience_seconds: float = Field(
        default=6,
        ge=0.1,
        le=120,
        description="How long the model that thinks may be silent, before its first word or "
        "between two, before it or the fallback is asked again. One such wait is "
        "granted even if OPENAI_PATIENCE_SECONDS is shorter.",
    )
    tts_patience_seconds: float = Field(
        default=4,
        ge=0.1,
        le=120,
        description="The same for the model that speaks: before its first sound, or between two.",
    )
    llm_input_price: Price | None = Field(
        default=None,
        description="What a million tokens that the model reads cost, in US dollars.",
        examples=["0.40"],
    )
    llm_cached_price: Price | None = Field(
        default=None,
        description="The same for tokens that it had in its cache. Unset: OPENAI_LLM_INPUT_PRICE.",
        examples=["0.10"],
    )
    llm_output_price: Price | None = Field(
        default=None,
        description="What a million tokens that the model writes cost, in US dollars.",
        examples=["1.60"],
    )
    tts_character_price: Price | None = Field(
        default=None,
        description="What a million characters that are spoken cost, in US dollars.",
        examples=["15"],
    )
    tts_minute_price: Price | None = Field(
        default=None,
        description="What a minute of speech costs, in US dollars, where the voice is not priced "
        "by its characters.",
        examples=["0.015"],
    )
    fallback_llm_model: Filled | None = Field(
        default=None,
        description="Model that thinks when the first one is down, slow, out of quota or refuses "
        "the key. Unset: the first one is asked once more, then the call ends with an apology.",
        examples=["gpt-4o-mini"],
    )
    fallback_tts_model: Filled | None = Field(
        default=None,
        description="Model that speaks when the first one cannot.",
        examples=["tts-1"],
    )
    fallback_tts_voice: Filled | None = Field(
        default=None,
        description="Voice of the fallback. Unset: the same name as OPENAI_TTS_VOICE.",
        examples=["alloy"],
    )
    fallback_api_key: ApiKey | None = Field(
        default=None,
        description="Key for the fallback models. Unset: OPENAI_API_KEY.",
        examples=["sk-proj-yyyyyyyy"],
    )
    fallback_base_url: OpenAIAddress | None = Field(
        default=None,
        description="Where the fallback models are, if elsewhere: any server that speaks OpenAI's "
        "API. It needs OPENAI_FALLBACK_API_KEY.",
        examples=["https://openai.example.com/v1"],
    )

    @field_validator("llm_base_url", "tts_base_url", "fallback_base_url")
    @classmethod
    def _key_of_its_own(cls, url: str | None, others: ValidationInfo) -> str | None:
        """One company's key must not be sent to another."""
        key = str(others.field_name).replace("base_url", "api_key")
        if url and not others.data.get(key):
            raise PydanticCustomError("key", f"needs OPENAI_{key.upper()}, the key for it")
        return url

    @property
    def llm(self) -> Account:
        """The account of the model that thinks."""
        return Account(self.llm_base_url or self.base_url, self.llm_api_key or self.api_key)

    @property
    def tts(self) -> Account:
        """The account of the model that speaks."""
        return Account(self.tts_base_url or self.base_url, self.tts_api_key or self.api_key)

    @property
    def fallback(self) -> Account | None:
        """The fallback's account; None for another model of the same account."""
        if self.fallback_api_key is None:
            return None
        return Account(self.fallback_base_url or self.base_url, self.fallback_api_key)
