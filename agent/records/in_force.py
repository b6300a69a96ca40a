"""Hints that name a setting, with the value that it had in the call."""

from typing import Any

from agent.records.schema import Call

MAY_BE_UNSET = frozenset(
    {
        "OPENAI_FALLBACK_LLM_MODEL",
        "OPENAI_FALLBACK_TTS_MODEL",
        "AGENT_MAX_CALLS",
        "ASSEMBLYAI_VAD_THRESHOLD",
    }
)
"""A record without the value of one of these says that it was not set. Addresses and paths are in
no record, and an older record may lack a setting that is new."""
_MILLISECONDS = ("_MS", "_TURN_SILENCE")


def setting(call: Call, name: str, advice: str) -> str:
    """A hint: the setting, what it was in this call, and the advice, a clause without a full stop.

    For example "AGENT_ECHO was off; auto keeps it out." Where the record does not tell the value:
    "AGENT_ECHO: auto keeps it out."
    """
    known = value(call, name)
    if known:
        return f"{name} was {known}; {advice}."
    if is_unset(call, name):
        return f"{name} is not set; {advice}."
    return f"{name}: {advice}."


def is_unset(call: Call, name: str) -> bool:
    """Whether the record says that a setting without a default had no value."""
    return bool(call.settings) and name in MAY_BE_UNSET and not value(call, name)


def value(call: Call, name: str) -> str:
    """A setting as a person reads it, such as `1.6 s`; empty if the record does not tell it."""
    found: Any = call.settings.get(name)
    if found is None:
        return ""
    if isinstance(found, bool):
        return "on" if found else "off"
    if isinstance(found, int | float):
        if name.endswith("_SECONDS"):
            return f"{found:g} s"
        if name.endswith(_MILLISECONDS):
            return f"{found / 1000:g} s" if found >= 100 else f"{found:g} ms"
        return f"{found:g}"
    return str(found)
