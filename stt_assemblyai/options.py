"""Every parameter of a streaming session, once: its bounds, the models that take it, its words.

Protocol notes, section 4 is the source. A field left at None is not sent, and the service's own
default for the model holds; what this product sends without being asked is `SHIPPED`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from stt_assemblyai.errors import ConfigurationError

__all__ = [
    "MODES",
    "MODE_SILENCES",
    "PARAMETERS",
    "PRESETS",
    "SHIPPED",
    "US_SILENCES",
    "Models",
    "Preset",
    "SessionOptions",
    "Takes",
]

SpeechModel = Literal[
    "universal-streaming-english",
    "universal-streaming-multilingual",
    "universal-3-6-pro",
    "universal-3-5-pro",
    "universal-3-6",
    "universal-3-7-preview",
    "u3-rt-pro",
    "u3-rt-pro-beta-1",
    "u3-rt-agent",
    "whisper-rt",
]
Preset = Literal["seed", "aggressive", "balanced", "conservative"]
Models = frozenset[str]

MULTILINGUAL: Models = frozenset({"universal-streaming-multilingual"})
US: Models = frozenset({"universal-streaming-english"}) | MULTILINGUAL
U3: Models = frozenset(
    {
        "universal-3-6-pro",
        "universal-3-5-pro",
        "universal-3-6",
        "universal-3-7-preview",
        "u3-rt-pro",
        "u3-rt-pro-beta-1",
        "u3-rt-agent",
    }
)
WHISPER: Models = frozenset({"whisper-rt"})
ALL: Models = US | U3 | WHISPER


def _row(threshold: float, minimum: int, maximum: int) -> Mapping[str, Any]:
    return MappingProxyType(
        {
            "end_of_turn_confidence_threshold": threshold,
            "min_turn_silence": minimum,
            "max_turn_silence": maximum,
        }
    )


PRESETS: Mapping[Preset, Mapping[str, Any]] = MappingProxyType(
    {
        "seed": _row(0.7, 160, 2400),
        "aggressive": _row(0.4, 160, 400),
        "balanced": _row(0.4, 400, 1280),
        "conservative": _row(0.7, 800, 3600),
    }
)
"""When a turn ends on the US models, by temper (section 10.1)."""

MODES: Mapping[Preset, Mapping[str, Any]] = MappingProxyType(
    {
        "seed": MappingProxyType({}),
        "aggressive": MappingProxyType({"mode": "min_latency"}),
        "balanced": MappingProxyType({"mode": "balanced"}),
        "conservative": MappingProxyType({"mode": "max_accuracy"}),
    }
)
"""The same tempers in the U3 family's own words (section 10.2)."""

MODE_SILENCES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"min_latency": (128, 640), "balanced": (128, 1280), "max_accuracy": (512, 2560)}
)
"""The shortest and the longest silence, in ms, that each of these modes stands for."""

US_SILENCES = (400, 1280)
"""The same of the US models, where nothing is sent."""

SHIPPED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {model: MappingProxyType({"format_turns": True, **PRESETS["seed"]}) for model in sorted(US)}
)
"""What is sent for a model without being asked. The U3 family keeps the service's own defaults."""

RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "min_end_of_turn_silence_when_confident": "min_turn_silence",
        "language_code": "language_codes",
        "language": "speech_model",
        "noise_suppression_model": "voice_focus",
        "noise_suppression_threshold": "voice_focus_threshold",
    }
)
"""Old names that are still accepted, with a warning; when both are given, the new one wins."""

_RENAMED_MODELS: Mapping[str, SpeechModel] = MappingProxyType(
    {
        "u3-pro": "universal-3-6-pro",
        "en": "universal-streaming-english",  # language=en
        "multi": "universal-streaming-multilingual",  # language=multi
    }
)


@dataclass(frozen=True, slots=True)
class Takes:
    """Which models take a parameter, may it change in mid-session, and the service's default."""

    models: Models
    updatable: bool = False
    default: str = "not set"


def _as_list(value: object) -> object:
    """One text stands for a list: a JSON array, or values between commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _parsed(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _as_object(value: object) -> object:
    """A text stands for the JSON object that it spells."""
    return _parsed(value) if isinstance(value, str) else value


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


Milliseconds = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}|multi)$")]
Terms = Annotated[tuple[Term, ...], BeforeValidator(_as_list), Field(max_length=100)]
LanguageTags = Annotated[tuple[LanguageTag, ...], BeforeValidator(_as_list), Field(max_length=10)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(_as_object)]
Context = Annotated[str, StringConstraints(max_length=1750)]


class SessionOptions(BaseModel):
    """What a session is asked for. Immutable; all faults are reported at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    speech_model: Annotated[SpeechModel, Takes(ALL)] = Field(
        default="universal-streaming-english",
        description="The speech model. The universal-streaming models are the cheapest and send a "
        "growing stream of words; the universal-3 family rewrites whole turns and is more exact.",
    )
    sample_rate: Annotated[int, Takes(ALL)] = Field(
        default=16000,
        ge=8000,
        le=96000,
        description="Samples a second of the audio that is sent, in Hz.",
    )
    encoding: Annotated[
        Literal["pcm_s16le", "pcm_mulaw", "opus", "ogg_opus", "aac"], Takes(ALL)
    ] = Field(
        default="pcm_s16le",
        description="How audio travels. pcm_mulaw halves the bytes and suits telephone calls.",
    )

    # When a turn ends
    mode: Annotated[
        Literal["min_latency", "balanced", "max_accuracy"] | None,
        Takes(U3, updatable=True, default="balanced"),
    ] = Field(
        default=None, description="How the universal-3 family weighs speed against exactness."
    )
    end_of_turn_confidence_threshold: Annotated[
        Fraction | None, Takes(US, updatable=True, default="0.4")
    ] = Field(
        default=None,
        description="How sure the model has to be, 0 to 1, that a turn is over for it to end after "
        "min_turn_silence. 0 always ends there, 1 always waits for max_turn_silence.",
    )
    min_turn_silence: Annotated[
        int | None,
        Takes(US | U3, updatable=True, default="400 (US), 128 (U3; 512 in max_accuracy)"),
    ] = Field(
        default=None,
        ge=50,
        le=10_000,
        description="Milliseconds of silence after which a turn ends that sounds complete.",
    )
    max_turn_silence: Annotated[
        int | None,
        Takes(US | U3, updatable=True, default="1280 (640 in min_latency, 2560 in max_accuracy)"),
    ] = Field(
        default=None,
        ge=50,
        le=60_000,
        description="Milliseconds of silence after which any turn ends.",
    )
    vad_threshold: Annotated[
        Fraction | None, Takes(ALL, updatable=True, default="0.4 (US), 0.2 to 0.3 (U3)")
    ] = Field(
        default=None,
        description="Voice probability, 0 to 1, below which audio counts as silence. Raise it "
        "where the line is noisy.",
        examples=["0.5"],
    )

    # What a transcript looks like, and when it comes
    format_turns: Annotated[bool | None, Takes(US | WHISPER, updatable=True, default="false")] = (
        Field(
            default=None,
            description="Send every ended turn a second time with case and punctuation.",
        )
    )
    include_partial_turns: Annotated[
        bool | None, Takes(ALL, default="true; false with redact_pii")
    ] = Field(default=None, description="Send transcripts of turns that are still open.")
    continuous_partials: Annotated[
        bool | None, Takes(U3, updatable=True, default="true; false with speaker_labels")
    ] = Field(default=None, description="Send transcripts at a steady pace during long turns.")
    interruption_delay: Annotated[
        int | None, Takes(U3, updatable=True, default="500; 0 in min_latency")
    ] = Field(
        default=None,
        ge=0,
        le=1000,
        description="Milliseconds after the onset of speech before its first transcript is sent "
        "(the service adds about 256). Lower is faster to interrupt, higher is surer.",
    )
    turn_left_pad_ms: Annotated[Milliseconds | None, Takes(U3, updatable=True)] = Field(
        default=None,
        description="Milliseconds of audio before the onset that are transcribed with a turn.",
        examples=["200"],
    )
    filter_profanity: Annotated[bool | None, Takes(US | U3, updatable=True, default="false")] = (
        Field(default=None, description="Mask swear words in transcripts.")
    )
    acknowledge_silence: Annotated[bool | None, Takes(U3, updatable=True, default="false")] = Field(
        default=None, description="Report about once a second while nothing is said."
    )

    # What the model knows beforehand
    prompt: Annotated[Context | None, Takes(U3, updatable=True)] = Field(
        default=None,
        description="What the call is about, in prose of at most 1750 characters.",
        examples=["A call to a bicycle shop."],
    )
    keyterms_prompt: Annotated[Terms | None, Takes(US | U3, updatable=True)] = Field(
        default=None,
        description="Names and rare words to expect: at most 100, each of at most 50 characters.",
        examples=["Aldi,Kofi"],
    )
    agent_context: Annotated[Context | None, Takes(U3, updatable=True)] = Field(
        default=None,
        description="What the agent has just said, in at most 1750 characters.",
        examples=["What is your name?"],
    )
    previous_context_n_turns: Annotated[int | None, Takes(U3, default="5")] = Field(
        default=None,
        ge=0,
        le=100,
        description="How many earlier turns help with the next one; 0 switches this off.",
    )
    language_codes: Annotated[
        LanguageTags | None, Takes(U3, updatable=True, default="every language of the model")
    ] = Field(
        default=None,
        description="Languages to expect, as at most 10 codes such as en or es; multi stands alone "
        "and means any.",
        examples=["en,es"],
    )
    language_detection: Annotated[
        bool | None, Takes(MULTILINGUAL | U3 | WHISPER, default="false")
    ] = Field(default=None, description="Name the language of every ended turn.")
    domain: Annotated[Literal["medical-v1"] | None, Takes(ALL)] = Field(
        default=None,
        description="A special vocabulary, at an extra price (English, Spanish, German, French).",
    )

    # Who speaks, and how the voice is told from noise
    speaker_labels: Annotated[bool | None, Takes(US | U3, default="false")] = Field(
        default=None, description="Name the speaker of every ended turn, at an extra price."
    )
    max_speakers: Annotated[int | None, Takes(US | U3)] = Field(
        default=None, ge=1, le=10, description="The largest number of speakers to tell apart."
    )
    speaker_labels_revision_interval_ms: Annotated[
        int | None, Takes(US | U3, default="0, only at the end")
    ] = Field(
        default=None,
        ge=0,
        le=86_400_000,
        description="Milliseconds between corrections of speaker names; the service keeps any "
        "value but 0 within 120000 to 300000.",
    )
    voice_focus: Annotated[Literal["near-field", "far-field"] | None, Takes(U3, default="off")] = (
        Field(
            default=None,
            description="Suppress voices and noise behind the caller: near-field for headsets and "
            "handsets, far-field for rooms. At an extra price.",
        )
    )
    voice_focus_threshold: Annotated[Fraction | None, Takes(U3, default="0.7")] = Field(
        default=None,
        description="How strongly voice_focus suppresses, 0 to 1. Needs voice_focus.",
        examples=["0.7"],
    )

    # Personal data
    redact_pii: Annotated[bool | None, Takes(US | U3, default="false")] = Field(
        default=None,
        description="Replace personal data in transcripts; only ended turns are then sent.",
    )
    redact_pii_policies: Annotated[Names | None, Takes(US | U3, default="all")] = Field(
        default=None,
        description="The kinds of personal data to replace, such as person_name.",
        examples=["person_name,phone_number"],
    )
    redact_pii_sub: Annotated[
        Literal["hash", "entity_name"] | None, Takes(US | U3, default="hash")
    ] = Field(default=None, description="What stands in place of personal data.")
    customer_support_audio_capture: Annotated[bool | None, Takes(ALL, default="false")] = Field(
        default=None,
        description="Let AssemblyAI's support keep this session's audio. Leave it off.",
    )

    # The session itself
    inactivity_timeout: Annotated[int | None, Takes(ALL, default="none")] = Field(
        default=None,
        ge=5,
        le=3600,
        description="Seconds without any message after which the service ends the session.",
    )
    session_heartbeat: Annotated[bool | None, Takes(ALL, updatable=True, default="false")] = Field(
        default=None, description="Let the service report every 5 seconds that it is alive."
    )
    llm_gateway: Annotated[JsonObject | None, Takes(ALL)] = Field(
        default=None,
        description="A request {model, messages, max_tokens} that the service puts to a language "
        "model for every ended turn; {{turn}} stands for its text.",
        examples=['{"model": "claude", "messages": [], "max_tokens": 100}'],
    )
    webhook_url: Annotated[
        Annotated[str, StringConstraints(pattern=r"^https?://")] | None, Takes(ALL)
    ] = Field(
        default=None,
        description="Where the service posts all ended turns after the session.",
        examples=["https://example.com/turns"],
    )
    webhook_auth_header_name: Annotated[str | None, Takes(ALL)] = Field(
        default=None,
        description="The name of a header that proves the webhook's sender.",
        examples=["X-Webhook-Secret"],
    )
    webhook_auth_header_value: Annotated[SecretStr | None, Takes(ALL)] = Field(
        default=None,
        description="The secret value of that header.",
        examples=["a-long-random-text"],
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_old_names(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        for old, new in RENAMED.items():
            if old in values:
                message = f"The parameter {old} is now called {new}"
                warnings.warn(message, FutureWarning, stacklevel=2)
                value = values.pop(old)
                if values.get(new) is None:
                    values[new] = value
        return values

    @field_validator("speech_model", mode="before")
    @classmethod
    def _accept_old_models(cls, value: object) -> object:
        return _RENAMED_MODELS.get(value, value) if isinstance(value, str) else value

    @field_validator("language_codes", mode="after")
    @classmethod
    def _multi_stands_alone(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value and "multi" in value and len(value) > 1:
            raise PydanticCustomError(
                "multi_stands_alone", "multi means any language: give it alone"
            )
        return value

    @field_validator("voice_focus_threshold", mode="after")
    @classmethod
    def _needs_voice_focus(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("voice_focus", "") is None:
            raise PydanticCustomError("needs_voice_focus", "set voice_focus too, or leave this out")
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _fits_the_model(cls, value: Any, info: ValidationInfo) -> Any:
        """What somebody sets is never dropped silently: the model takes it, or it is a fault."""
        model = info.data.get("speech_model")
        takes = PARAMETERS.get(info.field_name or "")
        if value is None or model is None or takes is None or model in takes.models:
            return value
        raise PydanticCustomError(
            "model_mismatch",
            "the model {model} does not take this; it is for {models}",
            {"model": model, "models": ", ".join(sorted(takes.models))},
        )

    @classmethod
    def preset(cls, name: Preset, **values: Any) -> Self:
        """Options with a preset's thresholds (US models); `values` win over the preset's."""
        return cls(**{**PRESETS[name], **values})

    def tempered(self, name: Preset) -> SessionOptions:
        """These options, with a preset's values where nothing was set."""
        rows = PRESETS if self.speech_model in US else MODES if self.speech_model in U3 else {}
        row = rows.get(name, {})
        return self.revised(**{n: v for n, v in row.items() if getattr(self, n) is None})

    def revised(self, **values: Any) -> SessionOptions:
        """The same options with other values, checked anew.

        Raises `ValueError` that names every fault, and no value: a prompt may be personal.
        """
        chosen = {n: getattr(self, n) for n in self.model_fields_set if n in PARAMETERS}
        try:
            return SessionOptions.model_validate({**chosen, **values})
        except ValidationError as error:
            faults = [f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors()]
            raise ValueError("; ".join(faults)) from None

    def effective(self) -> dict[str, Any]:
        """Every value that is sent, by name: what was set, then what ships with the model."""
        shipped = SHIPPED.get(self.speech_model, {})
        chosen = {name: getattr(self, name) for name in PARAMETERS}
        merged = {
            name: shipped.get(name) if value is None else value for name, value in chosen.items()
        }
        return {name: value for name, value in merged.items() if value is not None}

    def query(self) -> str:
        """The URL's query (section 3). It may hold a webhook's secret: never log it."""
        sent = {name: _to_wire(value) for name, value in self.effective().items()}
        return urlencode({name: text for name, text in sent.items() if text not in ("", "[]")})

    def changes(self, new: SessionOptions) -> dict[str, JsonValue]:
        """What an UpdateConfiguration has to say to turn this session into `new`.

        Raises `ConfigurationError` naming every difference that needs a new session.
        """
        old_values, new_values = self.effective(), new.effective()
        differing = [n for n in PARAMETERS if old_values.get(n) != new_values.get(n)]
        cleared = {"prompt": "", "agent_context": "", "keyterms_prompt": (), "language_codes": ()}
        message = {n: new_values.get(n, cleared.get(n)) for n in differing}
        stuck = [n for n, v in message.items() if v is None or not PARAMETERS[n].updatable]
        if stuck:
            raise ConfigurationError(
                f"{', '.join(stuck)} cannot change while a session is open",
                remedy="Open a new session with the new options.",
            )
        return {n: list(v) if isinstance(v, tuple) else v for n, v in message.items()}


PARAMETERS: Mapping[str, Takes] = MappingProxyType(
    {
        name: next(mark for mark in field.metadata if isinstance(mark, Takes))
        for name, field in SessionOptions.model_fields.items()
    }
)
"""Which models take each parameter; its type, bounds and words are in `model_fields`."""


def _to_wire(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
