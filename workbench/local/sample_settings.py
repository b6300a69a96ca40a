"""Settings for tests and benchmarks that call no provider."""

from typing import Any

from config.load import load_settings
from config.settings import Settings

_KEYS: dict[str, dict[str, Any]] = {
    "livekit": {"url": "ws://127.0.0.1", "api_key": "APIkey", "api_secret": "secret"},
    "assemblyai": {"api_key": "key"},
    "openai": {"api_key": "sk-key"},
    "agent": {},
}


def sample_settings(**given: dict[str, Any]) -> Settings:
    """The defaults, with made-up keys and what is given for each section."""
    return load_settings(None, given={name: _KEYS[name] | given.get(name, {}) for name in _KEYS})
