"""The session's parameters: from the query, changed by UpdateConfiguration (notes 3, 4, 11)."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from workbench.standins.assemblyai_v3.messages import Message
from workbench.standins.assemblyai_v3.models import (
    DEFAULT_MODEL,
    MODELS,
    REWRITING,
    WHISPER,
    Silences,
    default_silences,
    default_vad_threshold,
)

ENCODINGS = ("pcm_s16le", "pcm_mulaw", "opus", "ogg_opus", "aac")
LONGEST_TEXT = 1750
LONGEST_KEYTERM = 50
REWRITING_ONLY = ("prompt", "agent_context", "mode", "voice_focus")
UPDATABLE = frozenset(
    {
        "acknowledge_silence",
        "agent_context",
        "continuous_partials",
        "end_of_turn_confidence_threshold",
        "filter_profanity",
        "format_turns",
        "interruption_delay",
        "keyterms_prompt",
        "language_codes",
        "max_turn_silence",
        "min_end_of_turn_silence_when_confident",
        "min_turn_silence",
        "mode",
        "prompt",
        "session_heartbeat",
        "turn_left_pad_ms",
        "vad_threshold",
    }
)
SELF_EXPLAINING = frozenset({"encoding", "speech_model", "sample_rate"})
OVERRIDDEN_BY_MODE = ("min_turn_silence", "max_turn_silence", "interruption_delay")


class InvalidParametersError(Exception):
    """The session cannot go on with these; the text is what the service says under code 3006."""


def _json_list(value: object, info: ValidationInfo) -> object:
    """The query holds a list as one JSON text; a bare language code will do as well."""
    if not isinstance(value, str):
        return value
    if info.field_name == "language_codes" and not value.startswith("["):
        return [value]
    try:
        items = json.loads(value)
    except json.JSONDecodeError:
        items = None
    if not isinstance(items, list):
        raise ValueError("Invalid JSON array")  # noqa: TRY004 (pydantic wants this one)
    return items


def _at_most_100(items: list[str]) -> list[str]:
    if len(items) > 100:
        raise ValueError("Max 100 items")
    return [item for item in items if len(item) <= LONGEST_KEYTERM]


def _clamp_silence(value: int) -> int:
    return min(10_000, max(50, value))


JsonList = Annotated[list[str], BeforeValidator(_json_list)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class Parameters(BaseModel):
    """One session's parameters, valid together. What is not known is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    speech_model: str = DEFAULT_MODEL
    sample_rate: int = 16_000
    encoding: str = "pcm_s16le"
    mode: Literal["min_latency", "balanced", "max_accuracy"] | None = None
    min_turn_silence: Annotated[int, AfterValidator(_clamp_silence)] | None = Field(
        default=None,
        validation_alias=AliasChoices("min_turn_silence", "min_end_of_turn_silence_when_confident"),
    )
    max_turn_silence: Annotated[int, AfterValidator(_clamp_silence)] | None = None
    end_of_turn_confidence_threshold: Share = 0.4
    vad_threshold: Share | None = None
    format_turns: bool = False
    include_partial_turns: bool = True
    continuous_partials: bool | None = None
    interruption_delay: Annotated[int, Field(ge=0, le=1000)] | None = None
    turn_left_pad_ms: int | None = None
    prompt: Text | None = None
    keyterms_prompt: Annotated[JsonList, AfterValidator(_at_most_100)] = []
    agent_context: Text | None = None
    previous_context_n_turns: Annotated[int, Field(ge=0, le=100)] = 5
    language_codes: Annotated[JsonList, Field(max_length=10)] = []
    language_detection: bool = False
    domain: Literal["medical-v1"] | None = None
    speaker_labels: bool = False
    max_speakers: Annotated[int, Field(ge=1, le=10)] | None = None
    speaker_labels_revision_interval_ms: Annotated[int, Field(ge=0, le=86_400_000)] = 0
    voice_focus: Literal["near-field", "far-field"] | None = None
    voice_focus_threshold: Share | None = None
    redact_pii: bool = False
    redact_pii_policies: str | list[str] | None = None
    redact_pii_sub: Literal["hash", "entity_name"] = "hash"
    filter_profanity: bool = False
    inactivity_timeout: Annotated[int, Field(ge=5, le=3600)] | None = None
    session_heartbeat: bool = False
    acknowledge_silence: bool = False

    @field_validator("speech_model")
    @classmethod
    def _is_model(cls, value: str) -> str:
        if value not in MODELS:
            raise ValueError(f"'{value}' is not a valid SpeechModel")
        return value

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str) -> str:
        if value not in ENCODINGS:
            raise ValueError(f"'{value}' is not a valid Encoding")
        return value

    @field_validator("sample_rate")
    @classmethod
    def _is_sample_rate(cls, value: int) -> int:
        if value < 8000:
            raise ValueError("sample_rate must be at least 8,000 Hz")
        if value > 96_000:
            raise ValueError("sample_rate must be at most 96,000 Hz")
        return value

    @model_validator(mode="after")
    def _fits_model(self) -> "Parameters":
        if self.speech_model not in REWRITING:
            for name in REWRITING_ONLY:
                if getattr(self, name):
                    raise ValueError(f"{name} is only supported with Universal-3 Pro models")
        if self.speech_model == WHISPER and self.keyterms_prompt:
            raise ValueError("keyterms_prompt is not supported with whisper-rt")
        if self.voice_focus_threshold is not None and self.voice_focus is None:
            raise ValueError("voice_focus_threshold requires voice_focus")
        return self

    @property
    def is_rewriting(self) -> bool:
        """Whether the model is of the U3 family."""
        return self.speech_model in REWRITING

    @property
    def silences(self) -> Silences:
        """The client's values, or else the preset's."""
        preset = default_silences(
            self.speech_model, self.mode or "balanced", speaker_labels=self.speaker_labels
        )
        min_ms = preset.min_ms if self.min_turn_silence is None else self.min_turn_silence
        max_ms = preset.max_ms if self.max_turn_silence is None else self.max_turn_silence
        return Silences(min_ms, max_ms)

    @property
    def effective_vad_threshold(self) -> float:
        """The client's value, or else the model's."""
        if self.vad_threshold is not None:
            return self.vad_threshold
        return default_vad_threshold(self.speech_model, speaker_labels=self.speaker_labels)

    @property
    def first_partial_delay_ms(self) -> int:
        """`interruption_delay`, or else the mode's."""
        if self.interruption_delay is not None:
            return self.interruption_delay
        return 0 if self.mode == "min_latency" else 500

    @property
    def has_continuous_partials(self) -> bool:
        """On unless speakers are told apart."""
        if self.continuous_partials is None:
            return not self.speaker_labels
        return self.continuous_partials

    @property
    def has_partials(self) -> bool:
        """Redaction leaves finals only."""
        return self.include_partial_turns and not self.redact_pii

    @property
    def echo(self) -> Message:
        """`Begin.configuration` (notes 7.1) but for the version of the API."""
        return {
            "model": self.speech_model,
            "mode": (self.mode or "balanced") if self.is_rewriting else None,
            "speaker_labels": self.speaker_labels,
            "redact_pii": self.redact_pii,
            "filter_profanity": self.filter_profanity,
            "domain": self.domain,
            "voice_focus": self.voice_focus,
        }


def from_query(pairs: Sequence[tuple[str, str]]) -> Parameters:
    """Parameters of a query string; InvalidParametersError says what the service would say."""
    counts = Counter(name for name, _ in pairs)
    for name, count in counts.items():
        if count > 1 and name in Parameters.model_fields:
            raise InvalidParametersError(f"Invalid '{name}': Value error, Invalid JSON array")
    return _validated(dict(pairs))


def updated(parameters: Parameters, changes: Message) -> Parameters:
    """The parameters after an UpdateConfiguration; keys that cannot be updated are ignored."""
    values = parameters.model_dump(exclude_unset=True)
    accepted = {name: value for name, value in changes.items() if name in UPDATABLE}
    for name in ("keyterms_prompt", "language_codes"):
        if isinstance(accepted.get(name), str):
            raise InvalidParametersError(f"Invalid '{name}': Input should be a valid list")
    if "mode" in accepted:
        values = {name: value for name, value in values.items() if name not in OVERRIDDEN_BY_MODE}
    return _validated({**values, **accepted})


def _validated(values: dict[str, Any]) -> Parameters:
    try:
        return Parameters.model_validate(values)
    except ValidationError as invalid:
        raise InvalidParametersError(_service_text(invalid)) from None


def _service_text(invalid: ValidationError) -> str:
    """The first fault in the service's words."""
    fault = invalid.errors(include_url=False)[0]
    text = fault["msg"].removeprefix("Value error, ")
    name = str(fault["loc"][0]) if fault["loc"] else None
    if name is None or (name in SELF_EXPLAINING and fault["type"] == "value_error"):
        return text
    return f"Invalid '{name}': {fault['msg']}"
