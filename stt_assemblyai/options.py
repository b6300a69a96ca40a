"""Every parameter of a streaming session, once: bounds, the models that take it, description.

The source is the protocol notes, section 4. An unset field is sent as it ships with the model
(`models.shipped_with`), or not at all; one that is set to None is never sent. If nothing is sent,
the service's own default for the model applies.
"""

from __future__ import annotations

import difflib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    Secret,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from stt_assemblyai.errors import ConfigurationError
from stt_assemblyai.models import (
    ALL,
    MODES,
    MULTILINGUAL,
    OLD_MODELS,
    PRESETS,
    U3,
    US,
    WHISPER,
    Models,
    Preset,
    family_of,
    shipped_with,
)
from stt_assemblyai.service import HIGHEST_SAMPLE_RATE, LONGEST_CONTEXT, LOWEST_SAMPLE_RATE
from stt_assemblyai.values import (
    Context,
    Fraction,
    JsonObject,
    LanguageTags,
    Milliseconds,
    ModelName,
    Names,
    Pairs,
    Terms,
    WebAddress,
)

__all__ = ["CONTROLLED", "PARAMETERS", "RENAMED", "SessionOptions", "Takes"]

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

_QUIET = {"quiet": True}  # for options made from others, whose warnings have been given

CONTROLLED = frozenset(
    {
        "token",
        "speech_model",
        "sample_rate",
        "encoding",
        "end_of_turn_confidence_threshold",
        "min_turn_silence",
        "max_turn_silence",
        "format_turns",
        "include_partial_turns",
        "continuous_partials",
        "keyterms_prompt",
        "agent_context",
        "speaker_labels",
        "inactivity_timeout",
        "session_heartbeat",
    }
)
"""Parameters that this package itself depends on or makes: only their own fields set them."""


@dataclass(frozen=True, slots=True)
class Takes:
    """Which models take a parameter, whether it may change in mid-session, its default."""

    models: Models
    updatable: bool = False
    default: str = "not set"


class SessionOptions(BaseModel):
    """The options of a session. Immutable; all faults are reported at once."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=False, hide_input_in_errors=True
    )

    speech_model: Annotated[ModelName, Takes(ALL)] = Field(
        default="universal-streaming-english",
        description="The speech model. The universal-streaming models are the cheapest and send a "
        "growing stream of words; the universal-3 family rewrites whole turns and is more exact. "
        "An unknown model is passed on, with a warning.",
        json_schema_extra={"known": list[JsonValue](sorted(ALL))},
    )
    sample_rate: Annotated[int, Takes(ALL)] = Field(
        default=16000,
        ge=LOWEST_SAMPLE_RATE,
        le=HIGHEST_SAMPLE_RATE,
        description="Samples a second of the audio that is sent, in Hz.",
    )
    encoding: Annotated[Literal["pcm_s16le", "pcm_mulaw"], Takes(ALL)] = Field(
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
        "min_turn_silence. 0 always ends it then, 1 always waits for max_turn_silence.",
    )
    min_turn_silence: Annotated[
        int | None,
        Takes(US | U3, updatable=True, default="400 (US), 128 (U3; 512 in max_accuracy)"),
    ] = Field(
        default=None,
        ge=50,
        le=10_000,
        description="Milliseconds of silence that end a turn that sounds complete.",
    )
    max_turn_silence: Annotated[
        int | None,
        Takes(US | U3, updatable=True, default="1280 (640 in min_latency, 2560 in max_accuracy)"),
    ] = Field(
        default=None,
        ge=50,
        le=60_000,
        description="Milliseconds of silence that end any turn.",
    )
    vad_threshold: Annotated[
        Fraction | None, Takes(ALL, updatable=True, default="0.4 (US), 0.2 to 0.3 (U3)")
    ] = Field(
        default=None,
        description="Voice probability, 0 to 1, below which audio counts as silence. Raise it "
        "on a noisy line.",
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
        description=f"What the call is about, in prose of at most {LONGEST_CONTEXT} characters.",
        examples=["A call to a bicycle shop."],
    )
    keyterms_prompt: Annotated[Terms | None, Takes(US | U3, updatable=True)] = Field(
        default=None,
        description="Names and rare words to expect: at most 100, each of at most 50 characters.",
        examples=["Aldi,Kofi"],
    )
    agent_context: Annotated[Context | None, Takes(U3, updatable=True)] = Field(
        default=None,
        description=f"What the agent has just said, in at most {LONGEST_CONTEXT} characters.",
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
        description="Languages to expect, at most 10 codes such as en or es; multi means any and "
        "stands alone.",
        examples=["en,es"],
    )
    language_detection: Annotated[
        bool | None, Takes(MULTILINGUAL | U3 | WHISPER, default="false")
    ] = Field(default=None, description="Name the language of every ended turn.")
    domain: Annotated[Literal["medical-v1"] | None, Takes(ALL)] = Field(
        default=None,
        description="A special vocabulary, at an extra price (English, Spanish, German, French).",
    )

    # Speakers, and voice against noise
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
    llm_gateway: Annotated[Secret[JsonObject] | None, Takes(ALL)] = Field(
        default=None,
        description="A request {model, messages, max_tokens} that the service puts to a language "
        "model for every ended turn; {{turn}} stands for its text.",
        examples=['{"model": "claude", "messages": [], "max_tokens": 100}'],
    )
    webhook_url: Annotated[WebAddress | None, Takes(ALL)] = Field(
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
    extra_parameters: Secret[Pairs] | None = Field(
        default=None,
        description="More parameters for the service, sent as they are: parameters without a "
        "setting here, or new values of others. Pairs name=value separated by commas, or a JSON "
        "object.",
        examples=["new_parameter=true,other=0.5"],
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
        return OLD_MODELS.get(value, value) if isinstance(value, str) else value

    @field_validator("speech_model", mode="after")
    @classmethod
    def _say_if_unknown(cls, model: str, info: ValidationInfo) -> str:
        if model not in ALL and info.context is not _QUIET:
            close = difflib.get_close_matches(model, ALL, n=1, cutoff=0.9)
            hint = f" (did you mean {close[0]}?)" if close else ""
            message = f"The speech model {model} is not known here{hint}; it is passed on as it is"
            warnings.warn(message, UserWarning, stacklevel=2)
        return model

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

    @field_validator("extra_parameters", mode="after")
    @classmethod
    def _leaves_alone_what_has_a_field(
        cls, value: Secret[dict[str, JsonValue]] | None
    ) -> Secret[dict[str, JsonValue]] | None:
        names = sorted(CONTROLLED & value.get_secret_value().keys()) if value else []
        if names:
            raise PydanticCustomError(
                "controlled",
                "must not hold {names}: it is set by this program or has a setting of its own",
                {"names": ", ".join(names)},
            )
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _fits_the_model(cls, value: Any, info: ValidationInfo) -> Any:
        """Never drop silently what was set: the model takes it, or it is a fault."""
        model = info.data.get("speech_model")
        takes = PARAMETERS.get(info.field_name or "")
        if value is None or takes is None or model in takes.models:
            return value
        if value == "" or value == ():
            return None
        if model not in ALL:
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

    @property
    def family(self) -> Models:
        """The models that behave like this one: `US`, `U3` or `WHISPER`."""
        return family_of(self.speech_model)

    def with_preset(self, name: Preset) -> SessionOptions:
        """These options, with a preset's values for those that are not set."""
        rows = PRESETS if self.family is US else MODES if self.family is U3 else {}
        row = rows.get(name, {})
        return self.revised(**{n: v for n, v in row.items() if getattr(self, n) is None})

    def revised(self, **values: Any) -> SessionOptions:
        """The same options with other values, validated again; extra parameters are added.

        Raises `ValueError` that names every fault but no value: a prompt may be personal.
        """
        names = self.model_fields_set & SessionOptions.model_fields.keys()
        chosen = {name: getattr(self, name) for name in names}
        context = None if "speech_model" in values else _QUIET
        try:
            revised = SessionOptions.model_validate({**chosen, **values}, context=context)
        except ValidationError as error:
            faults = [f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors()]
            raise ValueError("; ".join(faults)) from None
        if not self.extra_parameters or not revised.extra_parameters:
            return revised
        before, after = self.extra_parameters, revised.extra_parameters
        both = before.get_secret_value() | after.get_secret_value()
        return revised.model_copy(update={"extra_parameters": Secret(both)})

    def effective(self) -> dict[str, Any]:
        """Every value that is sent, by name: what was set, then what ships with the model."""
        chosen = {name: getattr(self, name) for name in PARAMETERS}
        shipped = shipped_with(self.speech_model)
        unset = {n: shipped[n] for n in shipped.keys() - self.model_fields_set}
        extra = self.extra_parameters.get_secret_value() if self.extra_parameters else {}
        merged = {**chosen, **unset, **extra}
        return {name: value for name, value in merged.items() if value is not None}

    def query(self) -> str:
        """The URL's query (section 3). It may hold a webhook's secret: never log it."""
        sent = {name: _to_wire(value) for name, value in self.effective().items()}
        return urlencode({name: text for name, text in sent.items() if text not in ("", "[]")})

    def changes(self, new: SessionOptions) -> dict[str, JsonValue]:
        """The changes that an UpdateConfiguration needs to turn this session into `new`.

        Raises `ConfigurationError` naming every difference that needs a new session.
        """
        old_values, new_values = self.effective(), new.effective()
        names = dict.fromkeys([*PARAMETERS, *old_values, *new_values])
        differing = [n for n in names if old_values.get(n) != new_values.get(n)]
        cleared = {"prompt": "", "agent_context": "", "keyterms_prompt": (), "language_codes": ()}
        message = {n: new_values.get(n, cleared.get(n)) for n in differing}
        fixed = {n for n, takes in PARAMETERS.items() if not takes.updatable}
        stuck = [n for n, value in message.items() if value is None or n in fixed]
        if stuck:
            raise ConfigurationError(
                f"{', '.join(stuck)} cannot change while a session is open",
                remedy="Open a new session with the new options.",
            )
        return {n: list(v) if isinstance(v, tuple) else v for n, v in message.items()}


PARAMETERS: Mapping[str, Takes] = MappingProxyType(
    {
        name: mark
        for name, field in SessionOptions.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Takes)
    }
)
"""Which models take each parameter; its type, bounds and description are in `model_fields`."""


def _to_wire(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Secret | SecretStr):
        return _to_wire(value.get_secret_value())
    if isinstance(value, tuple | list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
