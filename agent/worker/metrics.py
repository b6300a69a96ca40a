"""The worker's own metrics for Prometheus, each declared once: docs/metrics.md is made from this.

They stand on the worker's page of metrics, beside LiveKit's. Latencies and usage have the names of
LiveKit's OpenTelemetry metrics, as Prometheus spells them; all others begin with `agent_`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

from agent.call.barge_in.outcomes import KINDS
from agent.call.endings import Ending
from agent.call.reports import Outcome
from agent.fleet.duty import Duty
from agent.records.schema import EndReason, Interruption, Tool
from agent.worker.health import OBSTACLES
from agent.worker.outages import PROVIDERS

VOICE_SECONDS = (
    *(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5),
    *(2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0),
)
"""What a caller notices, and what a caller no longer bears."""

CALL_SECONDS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
LAG_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
UNKNOWN = "unknown"
MODEL = ("model_name", "model_provider")
"""The labels that LiveKit's own metrics have."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric, as its page describes it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: Sequence[str]
    unit: str
    meaning: str
    advice: str
    """What to do about it."""


DECLARED: list[Declared] = []
"""All of them, in the order of the page."""


def _histogram(
    name: str, meaning: str, advice: str, *labels: str, buckets: Sequence[float] = VOICE_SECONDS
) -> Histogram:
    DECLARED.append(Declared(name, "histogram", labels, "seconds", meaning, advice))
    return Histogram(name, meaning, labels, buckets=buckets)


def _counter(name: str, meaning: str, advice: str, *labels: str, unit: str = "") -> Counter:
    DECLARED.append(Declared(name, "counter", labels, unit, meaning, advice))
    return Counter(name, meaning, labels)


def _gauge(name: str, meaning: str, advice: str, *labels: str) -> Gauge:
    DECLARED.append(Declared(name, "gauge", labels, "", meaning, advice))
    return Gauge(name, meaning, labels)


E2E_LATENCY = _histogram(
    "lk_agents_turn_e2e_latency_seconds",
    "From the end of the caller's voice, measured on the sound, to the first sound of the reply",
    "Compare the stages below: the slowest one is the cause.",
)
TRANSCRIPTION_DELAY = _histogram(
    "lk_agents_turn_transcription_delay_seconds",
    "From the end of the caller's voice to AssemblyAI's last final word",
    "High: network or AssemblyAI. Choose a region that is near.",
)
END_OF_TURN_DELAY = _histogram(
    "lk_agents_turn_end_of_turn_delay_seconds",
    "From the end of the caller's voice to the decision that the turn is over",
    "High: turns end by silence. Choose a quicker preset (docs/turns.md).",
)
ON_USER_TURN_COMPLETED_DELAY = _histogram(
    "lk_agents_turn_on_user_turn_completed_delay_seconds",
    "What the agent's `on_user_turn_completed` takes, before the language model is asked",
    "High: your own code waits there, for example for a look-up.",
)
LLM_TTFT = _histogram(
    "lk_agents_turn_llm_ttft_seconds",
    "From the request to the first token of the language model",
    "High: a slow or busy model. Set OPENAI_FALLBACK_LLM_MODEL, or choose another.",
    "model_name",
)
TTS_TTFB = _histogram(
    "lk_agents_turn_tts_ttfb_seconds",
    "From the first clause to the first byte of the voice",
    "High: a slow or busy voice. Set OPENAI_FALLBACK_TTS_MODEL, or choose another.",
    "model_name",
)
USAGE = {
    name: _counter(f"lk_agents_usage_{name}_total", meaning, advice, *MODEL, unit=unit)
    for name, meaning, advice, unit in (
        ("llm_input_tokens", "Tokens of prompts", "Grows with long calls and tool results.", ""),
        (
            "llm_input_cached_tokens",
            "Those of them that the provider had cached",
            "A low share: does something change the beginning of the prompt in each turn?",
            "",
        ),
        ("llm_output_tokens", "Tokens of answers", "Ask for shorter answers.", ""),
        ("tts_characters", "Characters that were synthesised", "Ask for shorter answers.", ""),
        (
            "tts_audio_duration_seconds",
            "Sound that was synthesised",
            "More than callers hear: replies are interrupted or thrown away.",
            "seconds",
        ),
        (
            "stt_audio_duration_seconds",
            "Time that speech sessions were open, as AssemblyAI bills it",
            "More than calls last: see agent_stt_sessions_total.",
            "seconds",
        ),
    )
}
CALLS = _counter(
    "agent_calls_total",
    "Calls that are over, by the code of their ending",
    "cannot_hear, cannot_think, cannot_speak and fault are failures: read the log of that time.",
    "ending",
)
CALL_DURATION = _histogram(
    "agent_call_duration_seconds",
    "How long calls lasted",
    "Many very short ones: callers hang up on the greeting.",
    buckets=CALL_SECONDS,
)
TURNS = _counter(
    "agent_turns_total",
    "Turns of callers, by what ended them",
    "Many by silence or watchdog: callers wait. See docs/turns.md.",
    "end_reason",
)
CUT_OFFS = _counter(
    "agent_cut_offs_total",
    "Turns in which the caller spoke on within 2 s of the reply's start: probably cut off",
    "A growing share of agent_turns_total: choose a more patient preset.",
)
INTERRUPTIONS = _counter(
    "agent_interruptions_total",
    "Times that the agent fell silent for the caller; outcome false: it was no turn of theirs",
    "A high share of false: noise or echo. See docs/turns.md, talking over the agent.",
    *("by", "outcome"),
)
OVERLAPS = _counter(
    "agent_overlaps_total",
    "What callers said while the agent spoke: what it was taken for, and whether rightly",
    "A high share of false for one kind: adapt its phrases (docs/turns.md).",
    *("kind", "outcome"),
)
FILLERS = _counter(
    "agent_fillers_total",
    "Fillers such as `one moment` that callers heard",
    "A growing share of agent_turns_total: see which stage is slow.",
)
REPLIES = _counter(
    "agent_replies_total",
    "Replies to callers: heard, silent (nobody heard a sound of it), or thrown away because it "
    "began before the turn was over and did not fit it",
    "Much thrown away costs tokens: choose a less eager preset.",
    "fate",
)
TOOLS = _counter(
    "agent_tool_calls_total",
    "Calls of tools by the language model",
    "Timeouts and errors: read the log, and raise AGENT_TOOL_TIMEOUT_SECONDS or mend the tool.",
    "outcome",
)
PROVIDER_TRIES = _counter(
    "agent_provider_tries_total",
    "Requests to the LLM and the TTS, and openings of STT sessions, by how they went",
    "busy: down, slow or limited. refused: key, quota, model or address, so an operator must act.",
    *("provider", "outcome"),
)
STT_SESSIONS = _counter(
    "agent_stt_sessions_total",
    "Speech sessions that are over, by why each was opened: start, roll_over, audio_again, or the "
    "error that ended the one before",
    "Many by an error: network or AssemblyAI. Each costs its callers a moment.",
    "reason",
)
STT_BILLED = _counter(
    "agent_stt_billed_seconds_total",
    "What AssemblyAI bills, session by session",
    "Compare with agent_call_duration_seconds_sum.",
    unit="seconds",
)
STT_REPLAYED = _counter(
    "agent_stt_replayed_seconds_total",
    "Sound that was sent again, since a session had broken off",
    "Grows with lost connections.",
    unit="seconds",
)
COST = _counter(
    "agent_cost_total",
    "What calls cost by the prices in the settings; nothing without prices",
    "Divide by agent_calls_total for the cost of a call.",
    *("provider", "currency"),
    unit="currency",
)
PLACES_FREE = _gauge(
    "agent_places_free",
    "How many more calls this worker takes now",
    "0 on all workers: add one, or raise AGENT_MAX_CALLS if the machine allows it.",
)
PLACES_USED = _gauge(
    "agent_places_used", "Calls in progress", "Sum over workers: the calls in progress."
)
READY = _gauge(
    "agent_ready",
    "1 if the next call may go to this worker, as on /readyz",
    "0: agent_obstacle says why.",
)
OBSTACLE = _gauge(
    "agent_obstacle",
    "1 for each reason why this worker gets no call",
    "unregistered: LiveKit is away. no_processes: look at memory and /tmp. *_down: that provider.",
    "obstacle",
)
EVENT_LOOP_LAG = _histogram(
    "agent_event_loop_lag_seconds",
    "How late the worker's own event loop runs what is due, twice a second",
    "Above 0.25 s often: the machine is overloaded. Lower AGENT_MAX_CALLS.",
    buckets=LAG_SECONDS,
)
CALLS_LOOP_LAG = _histogram(
    "agent_call_event_loop_lag_seconds",
    "How late the event loop of a process with calls ran what was due: the worst of each second",
    "Above 0.25 s often: too many calls, or a tool that blocks. See docs/operations.md, Overload.",
    buckets=LAG_SECONDS,
)
CALLERS_RESCUED = _counter(
    "agent_callers_rescued_total",
    "Callers who waited without an agent and for whom one was asked",
    "Grows: workers are full or die when calls begin.",
)
AGENTS_REPLACED = _counter(
    "agent_agents_replaced_total",
    "Agents that died in a call and for which another one was asked",
    "Each is a crash: look for the end of a job process in the log, and at memory.",
)
CALLERS_TOLD_TO_WAIT = _counter(
    "agent_callers_told_to_wait_total",
    "Callers who were told that nobody is free",
    "Grows: more workers are needed.",
)
LIVEKIT_API_CALLS = _counter(
    "agent_livekit_api_calls_total",
    "Calls of LiveKit's HTTP API by which this worker looks after callers",
    "Grows with what changes; if it grows with rooms or workers, look at the log.",
    "method",
)
WEBHOOKS = _counter(
    "agent_livekit_webhooks_total",
    "Webhooks of LiveKit's that came to this worker, by what became of them",
    "refused: another key or secret, or somebody else. too_large: a room's metadata is too long.",
    "outcome",
)
DUTY = _gauge(
    "agent_fleet_duty",
    "1 for what this worker looks after: all rooms by itself (alone), all rooms for the fleet "
    "(leads), or its own calls (follows)",
    "In a fleet with Redis exactly one leads. alone: Redis is away, or AGENT_REDIS_URL is unset.",
    "duty",
)
FLEET_WORKERS = _gauge(
    "agent_fleet_workers",
    "Workers of the fleet by the version of their code; only on the worker that leads",
    "Less than were started: some of them are dead, or Redis is away for them.",
    "version",
)
REPORTS_LOST = _counter(
    "agent_reports_lost_total",
    "Messages of calls that did not reach these metrics",
    "Grows: the worker is overloaded, and all that calls count is too low.",
)


def _appear(counter: Counter | Gauge, *values: Iterable[str]) -> None:
    """Show a series for each combination: one must exist to be read as zero."""
    first, *rest = values
    for value in first:
        if rest:
            for other in rest[0]:
                counter.labels(value, other)
        else:
            counter.labels(value)


def _choices(field: str, model: type[Interruption | Tool]) -> tuple[str, ...]:
    return get_args(model.model_fields[field].annotation)


_appear(CALLS, [each.code for each in Ending])
_appear(TURNS, (*get_args(EndReason), UNKNOWN))
_appear(INTERRUPTIONS, _choices("by", Interruption), _choices("outcome", Interruption))
_appear(OVERLAPS, KINDS, ("false", "true"))
_appear(REPLIES, ("heard", "silent", "thrown_away"))
_appear(TOOLS, _choices("outcome", Tool))
_appear(PROVIDER_TRIES, PROVIDERS, [each.value for each in Outcome])
_appear(STT_SESSIONS, ("start", "roll_over", "audio_again"))
_appear(OBSTACLE, OBSTACLES)
_appear(WEBHOOKS, ("taken", "refused", "too_large"))
_appear(DUTY, list(Duty))
_appear(LIVEKIT_API_CALLS, ("ListRooms", "ListParticipants", "ListDispatch", "PerformRpc"))
