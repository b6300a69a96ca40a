"""The lines of a call's record, version 1. What writes, reads, counts, traces or shows a call uses
these models.

A record is a file of JSON lines, in the order in which they were written; docs/records.md describes
it. Unless a name says otherwise:

- `at` is a line's wall clock, in unix seconds;
- a name that ends in `_ms` is in whole milliseconds since the call began, which is the `at` of the
  `call` line, on a clock that nobody sets; names that end in `_for_ms` are durations;
- None, or a missing field, means that it did not happen or is not known; never 0.

A reader skips kinds and fields that it does not know. `SCHEMA` grows when a known field changes its
meaning. Fields in `PERSONAL` hold what people said: nothing but the record itself and the viewer
may have them (`without_words`).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

SCHEMA = 1
PERSONAL = frozenset({"text", "replaces", "words", "caller", "speaker", "name", "faults"})
"""Names of the fields, at any depth, that tell who spoke or what was said."""

UNFINISHED = "unfinished"
"""The mark of a caller's words that the end of the call cut off."""

Provider = Literal["stt", "llm", "tts"]
EndReason = Literal[
    "confidence",  # AssemblyAI was sure that the turn is over
    "silence",  # AssemblyAI waited as long as it may (max_turn_silence)
    "second_opinion",  # our end-of-turn model asked AssemblyAI to end it
    "forced",  # it did not end for too long, and AssemblyAI ended it when asked
    "watchdog",  # AssemblyAI did not end it when asked: ended with what was known
    "reconnect",  # its session ended, and the next one found no more words
    "typed",  # the caller typed
]
Origin = Literal[
    "caller",  # answers what the caller said or typed
    "greeting",  # the first sentence of the call
    "prompt",  # the agent speaks by itself: silence, apology, goodbye, a tool's late result
]


class Line(BaseModel):
    """What all lines and their parts share."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Word(Line):
    """A word that was said, with the time at which it was heard in the call."""

    text: str
    start_ms: int
    end_ms: int


class Call(Line):
    """The first line: which call this is."""

    kind: Literal["call"] = "call"
    at: float = 0.0
    schema_version: int = SCHEMA
    room: str = ""
    room_sid: str = ""
    job_id: str = ""
    worker: str = ""
    agent_name: str = ""
    caller: str | None = None
    """The caller's identity."""
    waited_for_ms: int | None = None
    """How long the caller had been in the room when the agent had joined it."""
    settings: dict[str, Any] = {}
    """The settings in force, without secrets, prompts and sentences."""
    replaces_agent: bool = False
    """An earlier agent died in this call; this one went on."""


class Said(Line):
    """What somebody said, as soon as it is in the history. A crash loses no such line."""

    kind: Literal["said"] = "said"
    at: float = 0.0
    role: Literal["user", "assistant"]
    text: str
    mark: str = ""
    """Why it got no answer of its own: `backchannel`, `echo`, `aside`, `unanswered`, `hold`,
    `consent` (about recording), or `unfinished`: the caller hung up in mid-sentence."""
    speaker: str | None = None
    name: str | None = None
    turn: int | None = None
    """The index of the turn that it belongs to."""


class Formatted(Line):
    """The formatted text of words that were said before."""

    kind: Literal["formatted"] = "formatted"
    at: float = 0.0
    replaces: str
    text: str


class CallersPart(Line):
    """How the caller's turn ended. For typed text only `committed_ms`."""

    started_ms: int | None = None
    """The voice began, by the voice detector."""
    ended_ms: int | None = None
    """The voice ended, measured on the sound."""
    last_word_final_ms: int | None = None
    """AssemblyAI's last word was final."""
    decided_ms: int | None = None
    """AssemblyAI's end of the turn came."""
    end_reason: EndReason | None = None
    end_confidence: float | None = None
    """AssemblyAI's own, 0 to 1."""
    held_for_ms: int | None = None
    """How long the second opinion held the end back."""
    formatted_ms: int | None = None
    """The formatted text came."""
    committed_ms: int | None = None
    """The session took the turn as over and asked for a reply."""
    words: list[Word] = []


class Attempt(Line):
    """A request to a provider that failed, or the one that answered (`error` None)."""

    provider: str
    """Host of the address, and the model."""
    took_for_ms: int
    error: str | None = None
    """What failed, as a class: `rate_limit`, `timeout`, `unavailable`, `refused`, `broken`, ..."""


class Interruption(Line):
    """The caller spoke over the agent, and the agent fell silent."""

    at_ms: int
    """The agent's voice stopped."""
    by: Literal["voice", "words", "typed"]
    outcome: Literal["true", "false"]
    """`false`: it was no turn of the caller, and the agent went on."""
    resumed_ms: int | None = None
    """The agent went on speaking."""
    words: list[Word] = []
    """Those that decided it."""


class Filler(Line):
    """`One moment`, or a sound, while the reply was long in coming."""

    at_ms: int


class Tool(Line):
    """A tool that the model called."""

    tool: str
    """Its name."""
    started_ms: int
    ended_ms: int | None = None
    outcome: Literal["ok", "error", "timeout", "cancelled"] = "ok"
    error: str | None = None
    """The class of the exception."""


class Reply(Line):
    """What the agent said, and when its parts were there."""

    asked_ms: int | None = None
    """The language model was asked; before `committed_ms` for a preemptive reply."""
    first_token_ms: int | None = None
    first_clause_ms: int | None = None
    """The first clause was complete and went to the voice."""
    first_audio_ms: int | None = None
    """The voice's first byte."""
    first_sound_ms: int | None = None
    """The first frame of the reply went to the room: the caller hears it."""
    ended_ms: int | None = None
    """The last sound was heard, or the reply was interrupted for good."""
    preemptive: Literal["used", "thrown_away"] | None = None
    """A reply that was asked for before the turn was over: used, or another one was needed."""
    preemptive_wasted: int = 0
    """How many replies to this turn were thrown away."""
    llm: list[Attempt] = []
    tts: list[Attempt] = []
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    tts_characters: int | None = None
    tts_audio_for_ms: int | None = None
    interruptions: list[Interruption] = []
    words: list[Word] = []
    """Those that the caller heard."""


class Turn(Line):
    """One turn, whole: the caller's part and the agent's reply. Written when the reply is over."""

    kind: Literal["turn"] = "turn"
    at: float = 0.0
    index: int
    """From 1, in the order of the call."""
    origin: Origin
    speaker: str | None = None
    """Whose turn it was, where the agent hears several people."""
    preset: str | None = None
    is_dictated: bool = False
    caller_part: CallersPart = CallersPart()
    reply: Reply | None = None
    """None: the turn got no reply."""
    fillers: list[Filler] = []
    tools: list[Tool] = []
    cut_off_for_ms: int | None = None
    """The caller spoke on so soon after the reply's start (2 s at most) that the agent had
    probably cut them off: how long after."""


class Overlap(Line):
    """An utterance over the agent's speech, and what it was taken for."""

    kind: Literal["overlap"] = "overlap"
    at: float = 0.0
    at_ms: int
    taken_for: str
    """`interruption`, `backchannel`, `echo`, `aside`, `unanswered` or `hold`."""
    is_right: bool


class SttSession(Line):
    """A session with AssemblyAI that is over."""

    kind: Literal["stt_session"] = "stt_session"
    at: float = 0.0
    reason: str
    """Why it was opened: `start`, `roll over`, `audio again`, or the name of an error."""
    billed_seconds: float
    is_estimated: bool = False
    audio_sent_seconds: float = 0.0
    audio_resent_seconds: float = 0.0
    """What an earlier session had been sent already: replays."""


class ProviderFailed(Line):
    """A provider failed. The call may go on: with another attempt, or another provider."""

    kind: Literal["provider_failed"] = "provider_failed"
    at: float = 0.0
    at_ms: int
    provider: Provider
    error: str
    """The error's class."""
    wait_for_ms: int | None = None
    """Until the next attempt."""


class PresetChanged(Line):
    """Another turn preset is in force, or something is dictated."""

    kind: Literal["preset"] = "preset"
    at: float = 0.0
    at_ms: int
    preset: str
    is_dictated: bool = False


class Audio(Line):
    """The call's sound is kept: two channels, the caller left, the agent right."""

    kind: Literal["audio"] = "audio"
    at: float = 0.0
    file: str
    """Its name, in the folder of the record."""
    starts_ms: int


class Consent(Line):
    """What the caller answered when asked whether the call may be recorded."""

    kind: Literal["consent"] = "consent"
    at: float = 0.0
    answer: Literal["yes", "no", "none"]


class SettingsRefused(Line):
    """Settings that came with the call and are wrong, a sentence each."""

    kind: Literal["settings_refused"] = "settings_refused"
    at: float = 0.0
    faults: list[str]


class AgentChanged(Line):
    """Another agent answers from now on: a hand-off, or a task that begins or ends."""

    kind: Literal["agent"] = "agent"
    at: float = 0.0
    at_ms: int
    agent: str
    """Its id: by default its class, in lower case."""


class HandedOver(Line):
    """A person took the agent's place."""

    kind: Literal["handed_over"] = "handed_over"
    at: float = 0.0


class GaveOver(Line):
    """Another of our agents takes this one's place, and the call goes on: its worker stops."""

    kind: Literal["gave_over"] = "gave_over"
    at: float = 0.0
    at_ms: int


class TookOver(Line):
    """Another agent goes on with the call, on the same clock, in place of one that gave it over."""

    kind: Literal["took_over"] = "took_over"
    at: float = 0.0
    at_ms: int
    job_id: str = ""
    worker: str = ""
    version: int = 1
    """Of the state by which it did."""


class Cost(Line):
    """What the call cost, by the prices in the settings."""

    stt: float = 0.0
    llm: float = 0.0
    tts: float = 0.0
    currency: str = "USD"

    @property
    def total(self) -> float:
        """All of it."""
        return self.stt + self.llm + self.tts


class Usage(Line):
    """What the call used, also for replies that nobody heard."""

    stt_billed_seconds: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    tts_characters: int = 0
    tts_audio_for_ms: int = 0


class End(Line):
    """The last line. A record without it belongs to a call whose agent died, or that goes on."""

    kind: Literal["end"] = "end"
    at: float = 0.0
    ending: str
    """The code of an `Ending`, such as `caller_left`."""
    seconds: float | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    """None without prices."""


AnyLine = Annotated[
    Call
    | Said
    | Formatted
    | Turn
    | Overlap
    | SttSession
    | ProviderFailed
    | PresetChanged
    | Audio
    | Consent
    | SettingsRefused
    | AgentChanged
    | HandedOver
    | GaveOver
    | TookOver
    | End,
    Field(discriminator="kind"),
]
LINE: TypeAdapter[AnyLine] = TypeAdapter(AnyLine)
"""Reads one line; raises pydantic's ValidationError for a kind or a value that it does not know."""


def without_words(line: Line) -> dict[str, Any]:
    """A line as plain values, without what people said and who they are: for metrics, traces and
    the log."""
    left: dict[str, Any] = _without(line.model_dump(mode="json", exclude_none=True))
    return left


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(each) for key, each in value.items() if key not in PERSONAL}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without(each) for each in value]
    return value
