"""What must not stand in a recording: names of sessions, dates, and what people said."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["redacted"]

_SPOKEN = ("transcript", "utterance", "text", "prompt", "agent_context")
_LISTS_OF_WORDS = ("keyterms_prompt",)
_DROPPED = ("data",)  # a language model's answer


def redacted(
    message: Mapping[str, Any], *, began_at: float, session_name: str, keep_words: bool
) -> dict[str, Any]:
    """A message without them.

    Words keep their length, case and punctuation: `Paris.` becomes `Xxxxx.`. `expires_at` counts
    from `began_at`, the unix time at which the stream began.
    """
    clean = dict(message)
    if clean.get("type") == "Begin":
        clean["id"] = session_name
        if clean.get("expires_at") is not None:
            clean["expires_at"] = round(clean["expires_at"] - began_at)
    return clean if keep_words else _without_words(clean)


def _without_words(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _without_words(v, key) for key, v in value.items() if key not in _DROPPED}
    if isinstance(value, list):
        return [_without_words(one, "text" if name in _LISTS_OF_WORDS else name) for one in value]
    if isinstance(value, str) and name in _SPOKEN:
        return re.sub(r"\w", lambda letter: "X" if letter[0].isupper() else "x", value)
    return value
