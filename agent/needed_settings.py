"""Reads the settings without asking for keys that nobody uses.

Who puts another provider into the place of OpenAI or AssemblyAI (`agent.assistant`) needs no key of
theirs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.load import load_settings, texts
from config.settings import Settings
from config.sources import DOTENV

UNUSED = "unused"
"""Stands where a key would be. It is sent to nobody."""

_FALLBACKS = ("OPENAI_FALLBACK_LLM_MODEL", "OPENAI_FALLBACK_TTS_MODEL")


def load_needed(
    dotenv: Path | None = DOTENV,
    given: Mapping[str, Mapping[str, Any]] | None = None,
    **options: Any,
) -> Settings:
    """As `config.load.load_settings`, and raises the same; but a key may be missing that is not
    needed. Only where one is missing does this import the agent, which takes seconds."""
    given = given or {}
    found = texts(dotenv)
    filled = {
        section: {**given.get(section, {}), "api_key": UNUSED}
        for section, is_spare in (("openai", _spares_openai), ("assemblyai", _spares_assemblyai))
        if f"{section.upper()}_API_KEY" not in found
        and "api_key" not in given.get(section, {})
        and is_spare(found)
    }
    return load_settings(dotenv, given={**given, **filled}, **options)


def _spares_openai(found: Mapping[str, str]) -> bool:
    """Whether each of OpenAI's places has another key or another provider."""
    has_fallback = any(name in found for name in _FALLBACKS)
    if has_fallback and "OPENAI_FALLBACK_API_KEY" not in found:
        return False
    from agent import assistant

    return ("OPENAI_LLM_API_KEY" in found or _gives_one(assistant.own_llm)) and (
        "OPENAI_TTS_API_KEY" in found or _gives_one(assistant.own_tts)
    )


def _spares_assemblyai(_: object) -> bool:
    from agent import assistant

    return _gives_one(assistant.own_stt)


def _gives_one(make: Any) -> bool:
    """Whether a provider of one's own is made. It may fail for want of its own key: that is said
    when the worker is prepared."""
    try:
        return make() is not None
    except Exception:  # the operator's code, which may raise anything
        return True
