"""Settings that a test makes by itself, whatever the environment holds."""

from collections.abc import Callable
from typing import Any

import pytest

from config.phrases import Phrasebook
from config.settings import FileContents, Settings

KEYS = {
    "livekit": {"url": "ws://127.0.0.1:9", "api_key": "APIkey", "api_secret": "a-livekit-secret"},
    "assemblyai": {"api_key": "an-assemblyai-key"},
    "openai": {"api_key": "sk-an-openai-key"},
    "agent": {},
}


@pytest.fixture
def made() -> Callable[..., Settings]:
    """Settings of the five keys and of these variables, such as `AGENT_NAME="x"`."""

    def make(**variables: Any) -> Settings:
        given: dict[str, dict[str, Any]] = {name: {**values} for name, values in KEYS.items()}
        for name, value in variables.items():
            section, _, field = name.lower().partition("_")
            given[section][field] = value
        return Settings(**given, files=FileContents("Be kind.", Phrasebook({})))

    return make
