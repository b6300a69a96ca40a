"""Hints say what a setting was in the call."""

import pytest

from agent.records.in_force import MAY_BE_UNSET, is_unset, setting, value
from agent.records.schema import Call
from config.settings import Settings


@pytest.mark.parametrize(
    ("name", "found", "words"),
    [
        ("AGENT_ECHO", "off", "off"),
        ("AGENT_RECORD_AUDIO", True, "on"),
        ("AGENT_RECORD_AUDIO", False, "off"),
        ("AGENT_TOOL_TIMEOUT_SECONDS", 6.0, "6 s"),
        ("AGENT_DICTATION_PAUSE_MS", 1600, "1.6 s"),
        ("ASSEMBLYAI_WAIT_FOR_FORMATTED_MS", 0, "0 ms"),
        ("ASSEMBLYAI_MAX_TURN_SILENCE", 2400, "2.4 s"),
        ("AGENT_MAX_CALLS", 1, "1"),
    ],
)
def test_a_value_is_read_with_its_unit(name: str, found: object, words: str) -> None:
    assert value(Call(settings={name: found}), name) == words
    assert setting(Call(settings={name: found}), name, "so") == f"{name} was {words}; so."


def test_what_the_record_does_not_tell_is_not_called_unset_unless_it_would_tell_it() -> None:
    told = Call(settings={"AGENT_ECHO": "off"})
    assert setting(told, "OPENAI_FALLBACK_LLM_MODEL", "so") == (
        "OPENAI_FALLBACK_LLM_MODEL is not set; so."
    )
    assert setting(told, "ASSEMBLYAI_BASE_URL", "so") == "ASSEMBLYAI_BASE_URL: so."
    assert not is_unset(Call(), "OPENAI_FALLBACK_LLM_MODEL")


def test_those_that_may_be_unset_are_settings() -> None:
    fields = {
        f"{prefix}_{name}".upper()
        for prefix in ("assemblyai", "openai", "agent")
        for name in Settings.model_fields[prefix].annotation.model_fields  # type: ignore[union-attr]
    }
    assert fields >= MAY_BE_UNSET - {"ASSEMBLYAI_VAD_THRESHOLD"}  # AssemblyAI's own option
