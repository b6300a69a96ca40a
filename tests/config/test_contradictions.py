"""Settings that contradict each other, or do nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from config.contradictions import contradictions, shortest_and_longest_silence, without_effect
from config.settings import Settings
from stt_assemblyai.models import MODE_SILENCES

Made = Callable[..., Settings]

CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    (
        {"ASSEMBLYAI_MIN_TURN_SILENCE": 3000, "ASSEMBLYAI_MAX_TURN_SILENCE": 1000},
        "ASSEMBLYAI_MIN_TURN_SILENCE (3000 ms) must not be longer than ASSEMBLYAI_MAX_TURN_SILENCE "
        "(1000 ms)",
    ),
    (
        {"ASSEMBLYAI_MIN_TURN_SILENCE": 3000},
        "ASSEMBLYAI_MAX_TURN_SILENCE (2400 ms, by default)",
    ),
    (
        {"ASSEMBLYAI_MAX_TURN_SILENCE": 100},
        "ASSEMBLYAI_MIN_TURN_SILENCE (160 ms, by default)",
    ),
    (
        {
            "ASSEMBLYAI_SPEECH_MODEL": "universal-3-6-pro",
            "ASSEMBLYAI_MODE": "min_latency",
            "ASSEMBLYAI_MIN_TURN_SILENCE": 700,
        },
        "ASSEMBLYAI_MAX_TURN_SILENCE (640 ms, by default)",
    ),
    (
        {"AGENT_RECORD_AUDIO": True, "AGENT_RECORD_DIR": "calls", "AGENT_REDACT": "personal"},
        "AGENT_RECORD_AUDIO must be false with AGENT_REDACT=personal",
    ),
    (
        {"AGENT_HTTP_PORT": 8081, "AGENT_METRICS_PORT": 8081},
        "AGENT_METRICS_PORT and AGENT_HTTP_PORT must not both be 8081",
    ),
    (
        {"AGENT_LANGUAGE": "de", "ASSEMBLYAI_SPEECH_MODEL": "universal-streaming-english"},
        "AGENT_LANGUAGE=de needs a model that hears it: leave ASSEMBLYAI_SPEECH_MODEL unset",
    ),
    (
        {"AGENT_BACKCHANNEL_SECONDS": 8, "AGENT_ECHO": "auto"},
        "AGENT_BACKCHANNEL_SECONDS must be 0 with AGENT_ECHO=auto",
    ),
]


@pytest.mark.parametrize(("given", "said"), CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_one_sentence(
    made: Made, given: dict[str, Any], said: str
) -> None:
    (fault,) = contradictions(made(**given))
    assert said in fault


USELESS: list[tuple[dict[str, Any], str]] = [
    ({"ASSEMBLYAI_REDACT_PII_SUB": "hash"}, "has no effect without ASSEMBLYAI_REDACT_PII"),
    ({"ASSEMBLYAI_MAX_SPEAKERS": 2}, "has no effect without ASSEMBLYAI_SPEAKER_LABELS"),
    ({"AGENT_RECORD_AUDIO": True}, "has no effect without AGENT_RECORD_DIR"),
    (
        {"AGENT_BACKCHANNEL_SECONDS": 8, "AGENT_HEARS": "everybody"},
        "AGENT_BACKCHANNEL_SECONDS has no effect with AGENT_HEARS=everybody",
    ),
    ({"AGENT_MCP_TOKEN": "a-token"}, "has no effect without AGENT_MCP_URL"),
    ({"OPENAI_FALLBACK_TTS_VOICE": "sage"}, "has no effect without OPENAI_FALLBACK_TTS_MODEL"),
    (
        {"OPENAI_FALLBACK_API_KEY": "sk-another"},
        "has no effect without OPENAI_FALLBACK_LLM_MODEL or OPENAI_FALLBACK_TTS_MODEL",
    ),
    ({"ASSEMBLYAI_WEBHOOK_AUTH_HEADER_VALUE": "x"}, "no effect without ASSEMBLYAI_WEBHOOK_URL"),
    ({"AGENT_VAD_THRESHOLD": 0.9}, "leave AGENT_VAD_THRESHOLD unset to keep them equal"),
    ({"AGENT_SILENCE_SECONDS": 60, "AGENT_MAX_CALL_SECONDS": 60}, "AGENT_MAX_CALL_SECONDS is"),
    ({"ASSEMBLYAI_EAGER_MS": 200}, "ASSEMBLYAI_MIN_TURN_SILENCE is not longer"),
    ({"ASSEMBLYAI_REDACT_PII": True}, "ASSEMBLYAI_REDACT_PII keeps callers from interrupting"),
    ({"ASSEMBLYAI_INCLUDE_PARTIAL_TURNS": False}, "ASSEMBLYAI_INCLUDE_PARTIAL_TURNS keeps callers"),
    (
        {"ASSEMBLYAI_FALLBACK_BASE_URL": "wss://streaming.assemblyai.com"},
        "ASSEMBLYAI_FALLBACK_BASE_URL has no effect",
    ),
]


@pytest.mark.parametrize(("given", "said"), USELESS)
def test_a_setting_without_effect_is_one_sentence(
    made: Made, given: dict[str, Any], said: str
) -> None:
    (note,) = without_effect(made(**given))
    assert said in note


def test_the_defaults_go_together(made: Made) -> None:
    assert contradictions(made()) == without_effect(made()) == []


@pytest.mark.parametrize(
    ("given", "silences"),
    [
        ({}, (160, 2400)),  # the preset's
        (
            {"ASSEMBLYAI_SPEECH_MODEL": "universal-3-6-pro", "ASSEMBLYAI_MODE": "min_latency"},
            MODE_SILENCES["min_latency"],
        ),
        ({"ASSEMBLYAI_SPEECH_MODEL": "whisper-rt"}, None),
    ],
)
def test_a_turn_ends_between_two_silences(
    made: Made, given: dict[str, Any], silences: tuple[int, int] | None
) -> None:
    assert shortest_and_longest_silence(made(**given)) == silences
