"""A call's own settings, from the metadata of the request for its agent.

The metadata is a JSON object. A key that is the name of a variable sets it for this call, by the
same rules as in the environment: {"AGENT_GREETING": "Hola", "ASSEMBLYAI_LANGUAGE_CODES": ["es"]}. A
wrong value costs only itself. All other keys belong to the application.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from config.contradictions import contradictions
from config.faults import sentence
from config.settings import PER_CALL, Settings

LONGEST_METADATA = 65_536
"""Characters."""

MOST_FAULTS = 10
_LONGEST_NAME = 60


_PREFIXES = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")
_FIELDS: Mapping[str, tuple[str, str]] = {
    f"{section}_{name}".upper(): (section, name)
    for section, names in PER_CALL.items()
    for name in sorted(names, key=lambda name: name != "speech_model")
}
"""Section and field by the key; the model comes first, because it decides what else is valid."""


@dataclass(frozen=True, slots=True)
class CallSettings:
    """The contents of a call's metadata."""

    settings: Settings
    """The worker's settings, with those set for this call."""
    faults: list[str] = field(default_factory=list)
    """Why values were left out: one sentence each, at most `MOST_FAULTS`, without the value."""
    application: Mapping[str, Any] = field(default_factory=dict)
    """The application's own keys and values, unchanged."""


def settings_of_call(base: Settings, metadata: str) -> CallSettings:
    """The settings of a call with this metadata."""
    if not metadata.strip():
        return CallSettings(base)
    if len(metadata) > LONGEST_METADATA:
        longest = f"The metadata is longer than {LONGEST_METADATA} characters."
        return CallSettings(base, [longest])
    try:
        given = json.loads(metadata)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        example = 'such as {"AGENT_GREETING": "Hello"}'
        return CallSettings(base, [f"The metadata is not a JSON object {example}."])
    own = {name: value for name, value in given.items() if not name.upper().startswith(_PREFIXES)}
    faults = [
        f"{name[:_LONGEST_NAME]!a}: no call can set this; docs/per-call.md says what it can"
        for name in given.keys() - own.keys() - _FIELDS.keys()
    ]
    chosen = {name: given[name] for name in _FIELDS if name in given}
    settings, wrong = _with(base, chosen)
    return CallSettings(settings, [*wrong, *faults][:MOST_FAULTS], own)


def _with(base: Settings, chosen: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings with those of the chosen values that are valid, and the faults of the others."""
    settings, wrong = _revised(base, chosen)
    if not wrong:
        return settings, []
    settings, faults = base, []
    for name, value in chosen.items():
        settings, wrong = _revised(settings, {name: value})
        faults += wrong
    return settings, faults


def _revised(base: Settings, chosen: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings with all chosen values; if any is wrong, `base` and the faults."""
    by_section: dict[str, dict[str, Any]] = {}
    for name, value in chosen.items():
        section, field_name = _FIELDS[name]
        by_section.setdefault(section, {})[field_name] = value
    changed: dict[str, BaseModel] = {}
    faults: list[str] = []
    for section, values in by_section.items():
        before = getattr(base, section)
        kept = {each: getattr(before, each) for each in before.model_fields_set}
        try:
            changed[section] = type(before).model_validate({**kept, **values})
        except ValidationError as error:
            faults += [sentence(details, section=section) for details in error.errors()]
    settings = base.model_copy(update=changed).heard_in_its_language()
    faults = faults or contradictions(settings)
    return (base, faults) if faults else (settings, [])
