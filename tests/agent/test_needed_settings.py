"""Which keys may be missing, because another provider or another key is in their place."""

import os
from pathlib import Path
from typing import Any

import pytest

from agent import assistant
from agent.needed_settings import UNUSED, load_needed
from config.load import SettingsError

LIVEKIT = {"url": "ws://127.0.0.1", "api_key": "APIkey", "api_secret": "a-livekit-secret"}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("ASSEMBLYAI", "OPENAI", "AGENT")):
            monkeypatch.delenv(name)


def missing(**variables: str) -> list[str]:
    """The keys that are asked for with these variables."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        try:
            load_needed(None, {"livekit": LIVEKIT})
        except SettingsError as error:
            return [fault.split(":")[0] for fault in error.faults]
    return []


def puts_in_place(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setattr(assistant, name, object)


def test_keys_that_are_used_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing() == ["ASSEMBLYAI_API_KEY", "OPENAI_API_KEY"]
    puts_in_place(monkeypatch, "own_llm")
    assert missing(ASSEMBLYAI_API_KEY="key") == ["OPENAI_API_KEY"]


def test_nobody_needs_a_key_for_a_place_that_another_provider_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    puts_in_place(monkeypatch, "own_llm", "own_tts", "own_stt")
    assert missing() == []
    settings = load_needed(None, {"livekit": LIVEKIT, "openai": {"llm_model": "a-model"}})
    assert settings.assemblyai.api_key.get_secret_value() == UNUSED
    assert settings.openai.llm_model == "a-model"


def test_a_fallback_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    puts_in_place(monkeypatch, "own_llm", "own_tts", "own_stt")
    assert missing(OPENAI_FALLBACK_TTS_MODEL="tts-1") == ["OPENAI_API_KEY"]
    assert missing(OPENAI_FALLBACK_TTS_MODEL="tts-1", OPENAI_FALLBACK_API_KEY="key") == []


def test_two_keys_of_their_own_are_enough() -> None:
    both = {"OPENAI_LLM_API_KEY": "one", "OPENAI_TTS_API_KEY": "two"}
    assert missing(ASSEMBLYAI_API_KEY="key", **both) == []
    assert missing(ASSEMBLYAI_API_KEY="key", OPENAI_LLM_API_KEY="one") == ["OPENAI_API_KEY"]


def test_a_provider_that_lacks_its_own_key_is_in_place_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def own_stt() -> Any:
        raise ValueError("SPEECH_API_KEY is missing")

    monkeypatch.setattr(assistant, "own_stt", own_stt)
    assert missing(OPENAI_API_KEY="key") == []


def test_a_key_that_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    puts_in_place(monkeypatch, "own_llm", "own_tts", "own_stt")
    written = tmp_path / ".env"
    written.write_text("OPENAI_API_KEY=sk-mine\n", "utf-8")
    settings = load_needed(written, {"livekit": LIVEKIT, "assemblyai": {"api_key": "given"}})
    assert settings.openai.api_key.get_secret_value() == "sk-mine"
    assert settings.assemblyai.api_key.get_secret_value() == "given"
