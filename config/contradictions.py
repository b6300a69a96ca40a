"""Pairs of settings that contradict each other, or where one has no effect without the other."""

from collections.abc import Iterator

from config.languages import HEARS_ALL, hears
from config.settings import Settings
from stt_assemblyai.models import MODE_SILENCES, US, US_SILENCES, WHISPER

# Each does nothing unless one of those beside it is set.
_NEEDS = {
    "ASSEMBLYAI_REDACT_PII_POLICIES": ("ASSEMBLYAI_REDACT_PII",),
    "ASSEMBLYAI_REDACT_PII_SUB": ("ASSEMBLYAI_REDACT_PII",),
    "ASSEMBLYAI_MAX_SPEAKERS": ("ASSEMBLYAI_SPEAKER_LABELS",),
    "ASSEMBLYAI_SPEAKER_LABELS_REVISION_INTERVAL_MS": ("ASSEMBLYAI_SPEAKER_LABELS",),
    "ASSEMBLYAI_WEBHOOK_AUTH_HEADER_NAME": ("ASSEMBLYAI_WEBHOOK_AUTH_HEADER_VALUE",),
    "ASSEMBLYAI_WEBHOOK_AUTH_HEADER_VALUE": ("ASSEMBLYAI_WEBHOOK_URL",),
    "AGENT_MCP_TOKEN": ("AGENT_MCP_URL",),
    "AGENT_CONSENT": ("AGENT_RECORD_DIR",),
    "AGENT_RECORD_AUDIO": ("AGENT_RECORD_DIR",),
    "AGENT_RECORD_KEEP_DAYS": ("AGENT_RECORD_DIR",),
    "AGENT_RECORD_KEEP_MB": ("AGENT_RECORD_DIR",),
    "AGENT_RECORD_STORE": ("AGENT_RECORD_DIR",),
    "OPENAI_FALLBACK_TTS_VOICE": ("OPENAI_FALLBACK_TTS_MODEL",),
    "OPENAI_FALLBACK_API_KEY": ("OPENAI_FALLBACK_LLM_MODEL", "OPENAI_FALLBACK_TTS_MODEL"),
}


def contradictions(settings: Settings) -> list[str]:
    """Settings that contradict each other: one sentence each, starting with a setting's name."""
    return [
        *_silences(settings),
        *_ports(settings),
        *_echoes(settings),
        *_sounds(settings),
        *_unheard(settings),
    ]


def without_effect(settings: Settings) -> list[str]:
    """Settings that do nothing or are surely a mistake: one sentence each."""
    agent, service = settings.agent, settings.assemblyai
    found = [
        f"{name} has no effect without {' or '.join(needed)}"
        for name, needed in _NEEDS.items()
        if _value(settings, name) and not any(_value(settings, each) for each in needed)
    ]
    if settings.vad_threshold != service.voice_threshold:
        found.append(
            f"AGENT_VAD_THRESHOLD ({settings.vad_threshold}) and ASSEMBLYAI_VAD_THRESHOLD "
            f"({service.voice_threshold}) differ: between them one side hears speech where the "
            "other hears silence; leave AGENT_VAD_THRESHOLD unset to keep them equal"
        )
    if service.fallback_base_url == service.base_url:
        found.append("ASSEMBLYAI_FALLBACK_BASE_URL has no effect: it is ASSEMBLYAI_BASE_URL")
    if agent.silence_seconds >= agent.max_call_seconds:
        found.append("AGENT_SILENCE_SECONDS has no effect: AGENT_MAX_CALL_SECONDS is not longer")
    if agent.backchannel_seconds and agent.hears == "everybody":
        found.append("AGENT_BACKCHANNEL_SECONDS has no effect with AGENT_HEARS=everybody")
    if service.include_partial_turns is False or service.redact_pii:
        found.append(
            f"ASSEMBLYAI_{'REDACT_PII' if service.redact_pii else 'INCLUDE_PARTIAL_TURNS'} keeps "
            "callers from interrupting the agent: words arrive only when their turn has ended"
        )
    silence = shortest_and_longest_silence(settings)
    if silence and service.eager_ms and service.eager_ms >= silence[0]:
        found.append("ASSEMBLYAI_EAGER_MS has no effect: ASSEMBLYAI_MIN_TURN_SILENCE is not longer")
    return found


def shortest_and_longest_silence(settings: Settings) -> tuple[int, int] | None:
    """Milliseconds of silence after which a turn may and must end; None if no setting decides."""
    sent = settings.session_options.effective()
    family = settings.assemblyai.family
    if family is WHISPER:
        return None
    of_mode = MODE_SILENCES.get(sent.get("mode", "balanced"), MODE_SILENCES["balanced"])
    shortest, longest = US_SILENCES if family is US else of_mode
    return sent.get("min_turn_silence", shortest), sent.get("max_turn_silence", longest)


def _silences(settings: Settings) -> Iterator[str]:
    silence = shortest_and_longest_silence(settings)
    if silence and silence[0] > silence[1]:
        yield (
            f"ASSEMBLYAI_MIN_TURN_SILENCE ({_ms(settings, 'min_turn_silence', silence[0])}) must "
            f"not be longer than ASSEMBLYAI_MAX_TURN_SILENCE "
            f"({_ms(settings, 'max_turn_silence', silence[1])})"
        )


def _ms(settings: Settings, field: str, milliseconds: int) -> str:
    is_set = field in settings.assemblyai.model_fields_set
    return f"{milliseconds} ms" + ("" if is_set else ", by default")


def _ports(settings: Settings) -> Iterator[str]:
    agent = settings.agent
    if agent.metrics_port and agent.metrics_port == agent.http_port:
        yield (
            f"AGENT_METRICS_PORT and AGENT_HTTP_PORT must not both be {agent.http_port}: "
            "two pages cannot listen on one port"
        )


def _echoes(settings: Settings) -> Iterator[str]:
    if settings.agent.backchannel_seconds and settings.agent.echo == "auto":
        yield (
            "AGENT_BACKCHANNEL_SECONDS must be 0 with AGENT_ECHO=auto: a line that sends the "
            "sound back would put it into the caller's words"
        )


def _unheard(settings: Settings) -> Iterator[str]:
    language, model = settings.agent.language, settings.assemblyai.speech_model
    if not hears(model, language):
        yield (
            f"AGENT_LANGUAGE={language} needs a model that hears it: leave ASSEMBLYAI_SPEECH_MODEL "
            f"unset, or set {HEARS_ALL} or universal-3-6-pro"
        )


def _sounds(settings: Settings) -> Iterator[str]:
    if settings.agent.record_audio and settings.agent.redact == "personal":
        yield (
            "AGENT_RECORD_AUDIO must be false with AGENT_REDACT=personal: what is redacted in "
            "words would still be heard"
        )


def _value(settings: Settings, name: str) -> object:
    section, _, field = name.lower().partition("_")
    return getattr(getattr(settings, section), field)
