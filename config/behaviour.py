"""The agent's behaviour: what it says, how long it waits, whom it obeys, what it logs.

The files that these settings name are read by `config.files`.
"""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from config.languages import SENTENCES, Language
from config.values import ROOT, ApiKey, Host, Location, McpAddress, RedisAddress, Section, Spoken
from stt_assemblyai.models import Preset
from stt_assemblyai.values import Names

INSTRUCTIONS_CHARS = 32_000
_ENGLISH = SENTENCES["en"]
ADDRESSES = ("tel:", "sip:", "sips:")


class AgentSettings(Section):
    """The agent itself: what it says, how long it waits, and where its process can be watched."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        default="",
        description="Name that rooms ask for. Empty: the agent joins every new room by itself.",
        examples=["receptionist"],
    )
    transcriber_name: str = Field(
        default="",
        description="Name by which rooms ask for a transcribing worker. Empty: a transcriber joins "
        "every room with a person in it by itself, beside the agent that answers there.",
        examples=["minutes"],
    )
    instructions_file: Location = Field(
        default=Path("agent/call/instructions.md"),
        description="Text file that tells the agent who it is and how to behave. "
        "At most 32000 characters. A relative path starts at the project's folder.",
        examples=["agent/call/instructions.md"],
    )
    instructions: str | None = Field(
        default=None,
        max_length=INSTRUCTIONS_CHARS,
        description="The same as text; it wins over the file.",
        examples=["You answer the phone of a bicycle shop."],
    )
    language: Language = Field(
        default="en",
        description="Language of all that the agent says by itself: the sentences below where they "
        "are not set, and the recorded ones. Unless ASSEMBLYAI_SPEECH_MODEL is set, a model hears "
        "it that knows all of these. The instructions that come with the project say which "
        "language to speak; your own have to say it themselves.",
        examples=["de"],
    )
    greeting: Spoken = Field(
        default=_ENGLISH.greeting,
        description="What the agent says first, word for word.",
        examples=["Hello, this is Alex. How can I help you?"],
    )
    operators: Names = Field(
        default=(),
        description="Identities of participants who may tell the agent what to do, beside the "
        "caller; a * at the end matches any ending. Give such identities to nobody else.",
        examples=["supervisor-*,alice"],
    )
    hears: Literal["caller", "everybody"] = Field(
        default="caller",
        description="Whose voices the agent hears: only the caller's, or everybody's in the room "
        "who may speak, except operators; the history then names the speakers. Each person "
        "who is heard costs a speech session.",
        examples=["everybody"],
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
        description="How long the agent waits for a caller to come back whose network failed, "
        "unless somebody else with a microphone is in the room.",
        examples=["15"],
    )
    rescue_seconds: float = Field(
        default=5,
        ge=1,
        le=600,
        description="How long a caller may be in a room without an agent before a worker asks for "
        "one.",
    )
    record_dir: Location | None = Field(
        default=None,
        description="Folder for the records of calls; an agent that takes over a call goes on from "
        "its record. Records hold what was said: personal data. A relative path starts at the "
        "project's folder, which is read-only in the image. Unset: nothing is recorded.",
        examples=["records"],
    )
    record_audio: bool = Field(
        default=False,
        description="Whether the sound of calls is kept beside their records: a file of Opus in "
        "two channels, the caller left, the agent right, a quarter of a megabyte a minute. "
        "Voices are personal data, and many laws ask for consent.",
        examples=["true"],
    )
    consent: Spoken | None = Field(
        default=None,
        description="What the agent says before its greeting where calls are recorded, and whose "
        "answer it waits for. The record has the answer: yes, no or none. After a no, everything "
        "that was recorded of the call is removed, and the call goes on. Unset: nothing.",
        examples=["This call is recorded. Is that all right?"],
    )
    redact: Literal["cards", "personal"] = Field(
        default="cards",
        description="What records, logs, traces and the pages of calls do not keep of what people "
        "say: the numbers of payment cards; or with personal also numbers of four digits and more, "
        "written or spoken digit by digit, and e-mail addresses. The sound of a call cannot be "
        "redacted.",
        examples=["personal"],
    )
    record_store: str | None = Field(
        default=None,
        description="Where the record of a call and its sound go when the call is over: "
        "s3://bucket/prefix of an object store, with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
        "AWS_REGION and, for another than Amazon's, AWS_ENDPOINT_URL; or the absolute path of "
        "another folder. What the store has is removed from AGENT_RECORD_DIR. Without "
        "AGENT_REDIS_URL it also has what running calls have recorded, so that an agent on another "
        "machine can go on with them. Unset: they stay there.",
        examples=["s3://my-calls/agent"],
    )
    record_keep_days: float | None = Field(
        default=None,
        gt=0,
        le=3650,
        description="Days after which a record in AGENT_RECORD_DIR is removed with its sound, also "
        "one that no store has taken. Unset: never.",
        examples=["30"],
    )
    record_keep_mb: int | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="Megabytes that the records in AGENT_RECORD_DIR and their sound may take; the "
        "oldest are removed first. Unset: any number.",
        examples=["5000"],
    )
    phrases_dir: Location = Field(
        default=Path("agent/call/phrases"),
        description="Folder with a file for each language, such as en.toml: what callers say "
        "without interrupting the agent, what stops it at once, and which questions are answered "
        "by dictating. A relative path starts at the project's folder.",
        examples=["agent/call/phrases"],
    )
    turn_preset: Preset = Field(
        default="seed",
        description="How soon a caller's turn counts as over: aggressive for short answers, "
        "conservative for callers who think aloud, service for AssemblyAI's own thresholds. "
        "Thresholds that are set one by one win over it.",
        examples=["balanced"],
    )
    turn_second_opinion: Literal["off", "livekit"] = Field(
        default="off",
        description="A second end-of-turn detector, in the worker, beside AssemblyAI's: livekit is "
        "the one that comes with livekit-agents (its licence: with LiveKit Agents only; 244 MB, "
        "shared by all calls). It holds back an end of turn in mid-sentence, and asks AssemblyAI "
        "to end a turn that it is sure of earlier.",
        examples=["livekit"],
    )
    turn_hold_ms: int = Field(
        default=1500,
        ge=200,
        le=5000,
        description="With a second opinion: milliseconds of silence after which a turn ends even "
        "if the detector is sure that it goes on.",
    )
    min_silence_ms: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="Least milliseconds of silence before the agent answers, however sure "
        "AssemblyAI is that the turn is over. Unset: 400 with balanced, 800 with conservative, "
        "else 0.",
        examples=["300"],
    )
    dictation_pause_ms: int = Field(
        default=1600,
        ge=0,
        le=10_000,
        description="Milliseconds that a caller may pause without being answered while dictating a "
        "number, an address or a spelt name; 0 treats such answers like any other.",
    )
    echo: Literal["off", "auto"] = Field(
        default="off",
        description="Whether callers' lines may send the agent's own voice back. auto: three or "
        "more of its words, in order and at most 0.6 s late, do not interrupt it; they are "
        "kept with a mark. Browsers and telephones cancel echo by themselves.",
        examples=["auto"],
    )
    barge_in: Literal["eager", "balanced", "calm"] = Field(
        default="balanced",
        description="How easily the agent yields to a voice before its words are known. It "
        "speaks softly after 0.09 s, 0.16 s or 0.32 s, half of that if it is surely a voice, "
        "and falls silent after 0.19 s, 0.25 s or 0.8 s. If no words come it goes on where it was.",
        examples=["calm"],
    )
    barge_in_voice_ms: int | None = Field(
        default=None,
        ge=32,
        le=2000,
        description="Milliseconds of a voice after which the agent speaks softly; half as long "
        "if it is surely a voice. Unset: as AGENT_BARGE_IN has it.",
        examples=["200"],
    )
    barge_in_stop_ms: int | None = Field(
        default=None,
        ge=32,
        le=5000,
        description="Milliseconds of an unbroken voice after which the agent falls silent, "
        "even if no word was understood. Unset: as AGENT_BARGE_IN has it.",
        examples=["600"],
    )
    barge_in_quiet_ms: int | None = Field(
        default=None,
        ge=64,
        le=2000,
        description="Milliseconds without a voice after which the agent goes on, if no words came. "
        "Unset: as AGENT_BARGE_IN has it.",
        examples=["300"],
    )
    barge_in_wordless_ms: int | None = Field(
        default=None,
        ge=200,
        le=5000,
        description="Milliseconds that the agent stays silent for a voice that goes on without a "
        "word. Unset: as AGENT_BARGE_IN has it.",
        examples=["1000"],
    )
    barge_in_quieter_db: int | None = Field(
        default=None,
        ge=3,
        le=60,
        description="Decibels by which a voice may be quieter than the caller's and still make "
        "the agent yield. Unset: as AGENT_BARGE_IN has it.",
        examples=["20"],
    )
    eagerness: Literal["off", "some", "full"] = Field(
        default="off",
        description="How early the agent begins a reply. Nobody hears it before the caller's turn "
        "has ended, and it is thrown away if the caller goes on. off: when AssemblyAI says so; "
        "some: when the voice has been quiet for 0.1 s after words that may be the whole turn; "
        "full: still sooner. The language model and the voice also bill replies that are "
        "thrown away: when these exceed 15 % of a call's replies (full: 25 %), the next turns "
        "begin none.",
        examples=["some"],
    )
    backchannel_seconds: float = Field(
        default=0,
        ge=0,
        le=600,
        description="How long a turn of the caller lasts before the agent gives a backchannel: "
        'at a short pause in mid-sentence it says one soft "mhm" (`listening` in the '
        "phrases), at most once a turn, and never where the turn may be ending. 0: never. Only for "
        "clients that cancel echo.",
        examples=["8"],
    )
    vad_threshold: float | None = Field(
        default=None,
        ge=0.05,
        le=0.95,
        description="Voice probability from which the agent's own detector (Silero) hears a voice. "
        "Unset, and best: the same as ASSEMBLYAI_VAD_THRESHOLD. Between two different "
        "thresholds one side hears speech where the other hears silence.",
        examples=["0.4"],
    )
    first_clause_chars: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="The first clause of a reply is spoken as soon as it is there, if it has this "
        "many characters; the rest follows in sentences. A shorter clause would end before the "
        "next one can be heard. 1000: whole sentences only.",
    )
    longest_pause_ms: int = Field(
        default=250,
        ge=100,
        le=5000,
        description="The longest pause inside a reply, in milliseconds; three fifths of it in and "
        "after a clause that is spoken by itself. Longer silences in the voice's sound are "
        "shortened, since callers take them for the end. 5000: as the voice made them.",
    )
    silence_seconds: float = Field(
        default=20,
        ge=1,
        le=3600,
        description="After this long a silence the agent asks whether the caller is there, and "
        "after as long again it ends the call.",
    )
    hold_seconds: float = Field(
        default=30,
        ge=0,
        le=3600,
        description='How long the agent waits for a caller who says only "one moment", "hold on" '
        'or "let me look" (the list hold in AGENT_PHRASES_DIR) before it asks whether they are '
        "there; no less than AGENT_SILENCE_SECONDS. 0: it answers as it answers any turn.",
    )
    hand_over_to: str | None = Field(
        default=None,
        description="Where callers go when a provider has failed: tel:+15550100 or "
        "sip:help@example.com for those who came by telephone, or your own module:function "
        "(docs/operations.md). Unset: nowhere, and they hear an apology.",
        examples=["tel:+15550100"],
    )
    filler_seconds: float = Field(
        default=3,
        ge=0,
        le=60,
        description="How long the caller may hear nothing after their turn before the agent says "
        '"One moment, please"; 0 for never.',
    )
    tool_timeout_seconds: float = Field(
        default=30,
        ge=1,
        le=600,
        description="How long a tool may keep a caller waiting in silence. Then it is cancelled, "
        "and the model learns that there is no result.",
    )
    mcp_url: McpAddress | None = Field(
        default=None,
        description="Address of an MCP server whose tools every agent has: streamable HTTP, or SSE "
        "if it ends in /sse. It may hold a secret. It needs the package mcp: "
        "pip install 'mcp>=2.2,<3'.",
        examples=["https://mcp.example.com/mcp"],
    )
    mcp_token: ApiKey | None = Field(
        default=None,
        description="Token for that server, sent as `Authorization: Bearer`.",
        examples=["a-token-for-the-mcp-server"],
    )
    still_there: Spoken = Field(
        default=_ENGLISH.still_there,
        description="What the agent asks a caller who says nothing.",
    )
    goodbye: Spoken = Field(
        default=_ENGLISH.goodbye,
        description="What the agent says before it ends a call that is silent or too long.",
    )
    refusal: Spoken = Field(
        default=_ENGLISH.refusal,
        description="What the agent says when the model, or its content filter, refuses to answer. "
        "The caller's words are not sent to the model again, and the call goes on.",
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
        description="How many calls this worker takes at once. Unset: four for each core that it "
        "may use.",
        examples=["8"],
    )
    calls_per_process: int | None = Field(
        default=None,
        ge=1,
        le=50,
        description="How many calls share a process. 1: each has its own, which costs more. A "
        "process that dies takes its calls with it, and each gets another agent. Unset: one "
        "process for each core that the worker may use, for at most 12 calls.",
        examples=["4"],
    )
    max_cpu_percent: int = Field(
        default=95,
        ge=10,
        le=100,
        description="A worker with calls takes no more while the CPU has been busier than "
        "this for some seconds, in a container against its quota; 100: whatever the CPU does.",
    )
    max_loop_lag_ms: int = Field(
        default=30,
        ge=10,
        le=10_000,
        description="A worker with calls takes no more while the event loops of half of its calls "
        "run what is due later than this, on average over a second, for two seconds.",
    )
    redis_url: RedisAddress | None = Field(
        default=None,
        description="Address of a Redis server that all workers of a fleet share, on more machines "
        "than one: redis://HOST:PORT, rediss://HOST:PORT with TLS, or unix:///PATH; with a "
        "password redis://:PASSWORD@HOST:PORT (docs/fleet.md). Calls go on without it. Unset: "
        "workers share what they can on their own machine.",
        examples=["redis://:a-password@redis.example.com:6379/0"],
    )
    drain_seconds: int = Field(
        default=300,
        ge=0,
        le=36000,
        description="How long calls in progress may go on after SIGTERM; those that are left end "
        "within 20 s, with an apology. Choose at least 20 s less than the platform grants before "
        "it kills.",
        examples=["300"],
    )
    hand_over_seconds: float = Field(
        default=0,
        ge=0,
        le=300,
        description="How long after SIGTERM a worker tries to give its calls to other workers of "
        "its name, so that it need not wait for their end; callers hear nothing of it. A call "
        "that is left then stays for AGENT_DRAIN_SECONDS. 0: all calls stay.",
        examples=["30"],
    )
    http_host: Host = Field(
        default="127.0.0.1",
        description="Address of the worker's pages /livez, /readyz and /metrics; 0.0.0.0 for "
        "all addresses.",
        examples=["0.0.0.0"],
    )
    http_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the pages /livez and /readyz; 0 takes any free one.",
        examples=["8081"],
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of the page /metrics for Prometheus. Unset: none.",
        examples=["9090"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Lowest level of log lines that are shown.",
        examples=["debug"],
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto",
        description="json for machines, text for people; auto: text in a terminal, else json.",
        examples=["json"],
    )
    log_transcripts: bool = Field(
        default=False,
        description="Whether the log holds what callers and the agent say, turn by turn, and the "
        "caller's identity (personal data).",
        examples=["true"],
    )

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _in_its_language(self) -> Self:
        """Sentences that are not set stay unset: another language of a call replaces them."""
        for name, sentence in asdict(SENTENCES[self.language]).items():
            if name not in self.model_fields_set:
                vars(self)[name] = sentence
        return self

    @field_validator("operators")
    @classmethod
    def _not_everybody(cls, identities: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in identities:
            raise PydanticCustomError("everybody", "must not be everybody: put something before *")
        return identities

    @field_validator("record_store")
    @classmethod
    def _is_store(cls, where: str | None) -> str | None:
        if where and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?|/.*", where):
            raise PydanticCustomError("store", "must be s3://bucket/prefix, or begin with /")
        return where

    @field_validator("record_dir")
    @classmethod
    def _in_the_project(cls, path: Path | None) -> Path | None:
        return None if path is None else ROOT / path
