"""Every setting once: its name, text, range, default and an example of a right value.

The field `min_turn_silence` of `assemblyai` is the variable `ASSEMBLYAI_MIN_TURN_SILENCE`, read
from the environment or, where that is silent, from `.env`. Messages, `.env.example` and the
reference page are made from here.
"""

import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.phrases import Phrasebook, PhrasesError, read_phrasebook
from stt_assemblyai.options import U3, Names, Preset, SessionOptions

ROOT = Path(__file__).resolve().parent.parent
ADDRESSES = ("tel:", "sip:", "sips:")
DOTENV = Path(".env")  # of the folder in which the command is typed


def _scheme(*allowed: str, path: bool = True) -> AfterValidator:
    """A validator for addresses that names the schemes which this kind of server answers to."""

    def check(url: str) -> str:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in allowed or not parts.hostname:
            starts = " or ".join(f"{name}://" for name in allowed)
            raise PydanticCustomError("scheme", f"must start with {starts} and name a host")
        if parts.username or parts.query or parts.fragment or (parts.path and not path):
            raise PydanticCustomError("extra", "must be nothing but scheme and host")
        return parts.geturl()

    return AfterValidator(check)


def _openai_path(url: str) -> str:
    if not url.endswith("/v1"):
        raise PydanticCustomError("path", "must end in /v1")
    return url


def _latin(key: SecretStr) -> SecretStr:
    """A key travels in a header, which a line break pasted along with the key would end."""
    text = key.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise PydanticCustomError(
            "key", "has a character that no key has (a space, a line break, an accent?)"
        )
    return key


ApiKey = Annotated[SecretStr, AfterValidator(_latin)]
Spoken = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Section(BaseModel):
    """A group of variables with one prefix."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_default=True)


class LiveKitSettings(Section):
    """Where the worker registers. The prefix is LiveKit's own: unknown names are left alone."""

    url: Annotated[str, _scheme("ws", "wss", "http", "https")] = Field(
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
    """The ears: where speech is recognised, and every parameter of a session."""

    model_config = ConfigDict(hide_input_in_errors=True)

    api_key: ApiKey = Field(
        description="AssemblyAI API key.", examples=["0123456789abcdef0123456789abcdef"]
    )
    base_url: Annotated[str, _scheme("ws", "wss", path=False)] = Field(
        default="wss://streaming.assemblyai.com",
        description="Scheme and host of the streaming service. "
        "wss://streaming.eu.assemblyai.com keeps audio in the EU.",
        examples=["wss://streaming.eu.assemblyai.com"],
    )

    patience_seconds: float = Field(
        default=20,
        ge=0,
        le=600,
        description="How long the service may be out of reach before a call is given up. "
        "What is said meanwhile is kept and recognised afterwards.",
    )
    new_sessions_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="How many sessions the processes of this machine together may open in a "
        "minute: this machine's share of the account's limit (5 on a free account). "
        "Unset: no limit.",
        examples=["5"],
    )
    fallback_base_url: Annotated[str, _scheme("ws", "wss", path=False)] | None = Field(
        default=None,
        description="Another region, to which the agent turns whenever the first cannot be "
        "reached, with the same key.",
        examples=["wss://streaming.eu.assemblyai.com"],
    )
    fallback_inference_model: str | None = Field(
        default=None,
        description="Model of LiveKit Inference that hears the rest of a call which AssemblyAI "
        "refused or left for three seconds. LiveKit Cloud alone has it.",
        examples=["assemblyai/universal-streaming"],
    )
    wait_for_formatted_ms: int = Field(
        default=300,
        ge=0,
        le=5000,
        description="How long an ended turn may wait for its formatted transcript; "
        "0 takes the plain one at once. It never waits longer than the reply takes to be made.",
    )
    preflight_confidence: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="How sure the model has to be, 0 to 1, that a pause ends the turn for the "
        "agent to begin its reply during the pause. Lower answers sooner, and throws more replies "
        "away. Unset: as sure as for ending the turn (0.4 for the universal-3 family).",
        examples=["0.5"],
    )
    eager_ms: int | None = Field(
        default=None,
        ge=40,
        le=1000,
        description="Begin the reply as soon as the voice has been quiet for so many milliseconds "
        "behind words that are final, before the service tells the pause (160 ms). Answers "
        "sooner, and throws more replies away; 80 is a good value. Unset: never.",
        examples=["80"],
    )

    @property
    def voice_threshold(self) -> float:
        """The probability below which the service hears silence, its own default included."""
        if self.vad_threshold is not None:
            return self.vad_threshold
        return 0.4 if self.speech_model not in U3 else 0.3

    @property
    def regions(self) -> list[str]:
        """Where the service is, by preference."""
        return [url for url in (self.base_url, self.fallback_base_url) if url]

    @property
    def session(self) -> SessionOptions:
        """The session parameters alone, as they were set."""
        names = SessionOptions.model_fields.keys()
        return SessionOptions.model_validate(
            {name: getattr(self, name) for name in self.model_fields_set if name in names}
        )


class OpenAISettings(Section):
    """The mind and the voice. OpenAI's client has this prefix too: unknown names are left alone."""

    api_key: ApiKey = Field(description="OpenAI API key.", examples=["sk-proj-xxxxxxxx"])
    base_url: Annotated[str, _scheme("http", "https"), AfterValidator(_openai_path)] = Field(
        default="https://api.openai.com/v1",
        description="Address of the OpenAI API or of a server that speaks it.",
        examples=["https://api.openai.com/v1"],
    )
    llm_model: str = Field(
        default="gpt-4.1-mini", description="Model that thinks.", examples=["gpt-4.1-mini"]
    )
    tts_model: str = Field(
        default="gpt-4o-mini-tts", description="Model that speaks.", examples=["gpt-4o-mini-tts"]
    )
    tts_voice: str = Field(
        default="ash", description="Voice that it speaks with.", examples=["ash"]
    )
    llm_patience_seconds: float = Field(
        default=6,
        ge=0.1,
        le=120,
        description="How long the model that thinks may keep silent, before its first word or "
        "between two, until it is asked once more, or the fallback in its place.",
    )
    tts_patience_seconds: float = Field(
        default=4,
        ge=0.1,
        le=120,
        description="The same for the model that speaks: how long until its first sound.",
    )
    fallback_llm_model: str | None = Field(
        default=None,
        description="Model that thinks when the first one is down, slow, out of quota or refuses "
        "the key. Unset: the first one is asked once more, then the call ends with an apology.",
        examples=["gpt-4o-mini"],
    )
    fallback_tts_model: str | None = Field(
        default=None,
        description="Model that speaks when the first one cannot.",
        examples=["tts-1"],
    )
    fallback_tts_voice: str | None = Field(
        default=None,
        description="Voice of the fallback. Unset: the same name as OPENAI_TTS_VOICE.",
        examples=["alloy"],
    )
    fallback_api_key: ApiKey | None = Field(
        default=None,
        description="Key for the fallback models. Unset: OPENAI_API_KEY.",
        examples=["sk-proj-yyyyyyyy"],
    )
    fallback_base_url: (
        Annotated[str, _scheme("http", "https"), AfterValidator(_openai_path)] | None
    ) = Field(
        default=None,
        description="Where the fallback models are, if elsewhere: any server that speaks OpenAI's "
        "API. It needs OPENAI_FALLBACK_API_KEY.",
        examples=["https://openai.example.com/v1"],
    )

    @field_validator("fallback_base_url")
    @classmethod
    def _key_of_its_own(cls, url: str | None, others: ValidationInfo) -> str | None:
        """The key of one company must not be shown to another."""
        if url and not others.data.get("fallback_api_key"):
            raise PydanticCustomError("key", "needs OPENAI_FALLBACK_API_KEY, the key for it")
        return url


class AgentSettings(Section):
    """The agent itself: what it says, how long it waits, and where its process can be looked at."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        default="",
        description="Name that rooms ask for. Empty: the agent joins every new room by itself.",
        examples=["receptionist"],
    )
    instructions_file: Path = Field(
        default=Path("agent/call/instructions.md"),
        description="Text file that tells the agent who it is and how to behave. "
        "A relative path starts at the project's folder.",
        examples=["agent/call/instructions.md"],
    )
    instructions: str | None = Field(
        default=None,
        max_length=32_000,
        description="The same as a text, which wins over the file.",
        examples=["You answer the phone of a bicycle shop."],
    )
    greeting: Spoken = Field(
        default="Hello, this is Alex. How can I help you?",
        description="What the agent says first, word for word.",
        examples=["Hello, this is Alex. How can I help you?"],
    )
    operators: Names = Field(
        default=(),
        description="Identities of participants who may tell the agent what to do, beside the "
        "caller; a * at the end stands for any ending. Give such identities to nobody else.",
        examples=["supervisor-*,alice"],
    )
    caller_timeout_seconds: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="How long the agent waits in a room for its first caller.",
        examples=["30"],
    )
    reconnect_grace_seconds: float = Field(
        default=15,
        ge=0,
        le=600,
        description="How long the agent waits for a caller whose network failed to come back.",
        examples=["15"],
    )
    rescue_seconds: float = Field(
        default=5,
        ge=1,
        le=600,
        description="How long a caller may be in a room without an agent before one is asked for.",
    )
    record_dir: Path | None = Field(
        default=None,
        description="Folder for the records of calls, from which an agent that takes over a call "
        "goes on. They hold what was said: personal data. Unset: nothing is recorded.",
        examples=["records"],
    )
    phrases_dir: Path = Field(
        default=Path("agent/call/phrases"),
        description="Folder with a file for each language, such as en.toml: what callers say "
        "without interrupting the agent, what stops it at once, and which questions are answered "
        "by dictating. A relative path starts at the project's folder.",
        examples=["agent/call/phrases"],
    )
    turn_preset: Preset = Field(
        default="seed",
        description="How soon a caller's turn counts as over: aggressive for short answers, "
        "conservative for callers who think aloud. Thresholds that are set one by one win over it.",
        examples=["balanced"],
    )
    min_silence_ms: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="Milliseconds of silence before the agent answers, however sure AssemblyAI is "
        "that the turn is over. Unset: 0 with seed and aggressive, 400 balanced, 800 conservative.",
        examples=["300"],
    )
    dictation_pause_ms: int = Field(
        default=1600,
        ge=0,
        le=10_000,
        description="Milliseconds that a caller may pause without being answered while giving a "
        "number, an address or a name that is spelt; 0 makes no difference between such answers "
        "and others.",
    )
    vad_threshold: float | None = Field(
        default=None,
        ge=0.05,
        le=0.95,
        description="Voice probability from which the agent's own detector (Silero) hears a voice. "
        "Unset: the same as ASSEMBLYAI_VAD_THRESHOLD, which is right: between two different "
        "thresholds one side hears speech where the other hears silence.",
        examples=["0.4"],
    )
    first_clause_chars: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="The first clause of a reply is spoken as soon as it is there, if it has so "
        "many characters; the rest follows in sentences. A shorter one ends before more can be "
        "heard. 1000: whole sentences only.",
    )
    silence_seconds: float = Field(
        default=20,
        ge=1,
        le=3600,
        description="How long nobody may speak before the agent asks whether the caller is there, "
        "and then again before it ends the call.",
    )
    hand_over_to: str | None = Field(
        default=None,
        description="Who takes callers when a provider has failed: tel:+15550100 or "
        "sip:help@example.com for those who came by telephone, or module:function, your own "
        "(docs/operations.md). Unset: nobody, and they hear an apology.",
        examples=["tel:+15550100"],
    )
    filler_seconds: float = Field(
        default=3,
        ge=0,
        le=60,
        description="How long after the caller's turn nothing may be heard before the agent says "
        '"One moment, please"; 0 for never.',
    )
    still_there: Spoken = Field(
        default="Are you still there?",
        description="What it asks a caller who says nothing.",
    )
    goodbye: Spoken = Field(
        default="I am ending this call now. Goodbye.",
        description="What it says before it ends a call that is silent or too long.",
    )
    max_call_seconds: float = Field(
        default=3600,
        ge=10,
        le=86_400,
        description="The longest duration of a call.",
    )
    max_calls: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Calls that this worker takes at once. Unset: four a core that it may use.",
        examples=["8"],
    )
    max_cpu_percent: int = Field(
        default=95,
        ge=10,
        le=100,
        description="A worker with calls takes no more of them while the CPU has been busier than "
        "this for some seconds, within the quota of a container; 100: whatever the CPU does.",
    )
    drain_seconds: int = Field(
        default=300,
        ge=0,
        le=36000,
        description="How long running calls may go on after SIGTERM; those that are left end "
        "within 20 s, with an apology. Choose that much less than the platform grants before it "
        "kills.",
        examples=["300"],
    )
    http_host: str = Field(
        default="127.0.0.1",
        description="Address on which the worker's health page listens; 0.0.0.0 for every one.",
        examples=["0.0.0.0"],
    )
    http_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the health page; 0 takes any free one.",
        examples=["8081"],
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of a page of metrics for Prometheus, on the address of the health page. "
        "Unset: none.",
        examples=["9090"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Least important kind of log line that is shown.",
        examples=["debug"],
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto",
        description="json for machines, text for people; auto: text in a terminal, else json.",
        examples=["json"],
    )
    log_transcripts: bool = Field(
        default=False,
        description="Whether log lines may hold what callers and the agent say (personal data).",
        examples=["true"],
    )

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("operators")
    @classmethod
    def _not_everybody(cls, identities: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in identities:
            raise PydanticCustomError("everybody", "must not be everybody: put something before *")
        return identities

    @field_validator("hand_over_to")
    @classmethod
    def _reachable(cls, to: str | None) -> str | None:
        """A function of the operator's own is imported here: not in the call that needs it."""
        if to is None or to.startswith(ADDRESSES):
            return to
        try:
            found = pkgutil.resolve_name(to)
        except Exception as error:
            reason = type(error).__name__
            raise PydanticCustomError(
                "hook", f"is no tel: or sip: address, and cannot be imported ({reason})"
            ) from None
        if not inspect.iscoroutinefunction(found):
            raise PydanticCustomError("hook", "must name an async function")
        return to

    @field_validator("instructions_file")
    @classmethod
    def _readable(cls, path: Path) -> Path:
        try:
            empty = not (ROOT / path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PydanticCustomError(
                "file", f"cannot be read as UTF-8 text ({type(error).__name__})"
            ) from None
        if empty:
            raise PydanticCustomError("file", "is an empty file")
        return path

    @field_validator("phrases_dir")
    @classmethod
    def _phrases_readable(cls, path: Path) -> Path:
        try:
            read_phrasebook(ROOT / path)
        except PhrasesError as error:
            raise PydanticCustomError("phrases", "{reason}", {"reason": str(error)}) from None
        return path

    @property
    def phrasebook(self) -> Phrasebook:
        """What turn-taking goes by, by language."""
        return read_phrasebook(ROOT / self.phrases_dir)

    @property
    def prompt(self) -> str:
        """What the agent is told, as prose."""
        return (
            self.instructions or (ROOT / self.instructions_file).read_text(encoding="utf-8").strip()
        )


class Settings(BaseSettings):
    """All sections. Made by `config.load.load_settings`, which turns faults into sentences."""

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_file_encoding="utf-8-sig",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
        enable_decoding=False,  # lists are written a,b,c; the sections read them
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    livekit: LiveKitSettings
    assemblyai: AssemblyAISettings
    openai: OpenAISettings
    agent: AgentSettings

    @property
    def session_options(self) -> SessionOptions:
        """What a streaming session is asked for: what was set, and the preset for the rest."""
        return self.assemblyai.session.tempered(self.agent.turn_preset)

    @property
    def vad_threshold(self) -> float:
        """From which probability on Silero hears a voice: by default where AssemblyAI does."""
        if self.agent.vad_threshold is not None:
            return self.agent.vad_threshold
        return self.assemblyai.voice_threshold

    @model_validator(mode="before")
    @classmethod
    def _every_section(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Check a section of which nothing is set, too, so that each missing variable is named."""
        return {section: values.get(section, {}) for section in cls.model_fields}


PER_CALL: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "assemblyai": frozenset({"speech_model", "language_codes", "keyterms_prompt", "prompt"}),
        "openai": frozenset({"llm_model", "tts_voice"}),
        "agent": frozenset({"instructions", "greeting", "still_there", "goodbye", "turn_preset"}),
    }
)
"""By section, what the metadata of a single call may set (`config.per_call`)."""
