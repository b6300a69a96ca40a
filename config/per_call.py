"""A call's own settings, from the metadata with which its agent is asked for.

The metadata is a JSON object whose keys are names of variables, and whose values obey the same
rules as in the environment: {"AGENT_GREETING": "Hola", "ASSEMBLYAI_LANGUAGE_CODES": ["es"]}.
Half of a configuration is one that nobody has tried (the Spanish greeting with the English ears),
so a single fault refuses it all.
"""

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from config.faults import sentence
from config.settings import PER_CALL, Settings

LONGEST_METADATA = 65_536
"""Characters."""

MOST_FAULTS = 10
_LONGEST_NAME = 60


def settings_of_call(base: Settings, metadata: str) -> tuple[Settings, list[str]]:
    """The settings of a call whose agent was asked for with this metadata.

    Where the metadata is at fault, the answer is `base` and what is wrong: one sentence each, at
    most `MOST_FAULTS`, without any value.
    """
    if not metadata.strip():
        return base, []
    if len(metadata) > LONGEST_METADATA:
        return base, [f"The metadata is longer than {LONGEST_METADATA} characters."]
    try:
        given = json.loads(metadata)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return base, ['The metadata is not a JSON object such as {"AGENT_GREETING": "Hello"}.']
    chosen, faults = _by_section(given)
    changed: dict[str, BaseModel] = {}
    for section, values in chosen.items():
        try:
            changed[section] = _revised(getattr(base, section), values)
        except ValidationError as error:
            faults += [sentence(details, section=section) for details in error.errors()]
        except RecursionError:
            faults.append(f"{section.upper()}_: a value is nested too deeply")
    if faults:
        return base, faults[:MOST_FAULTS]
    return base.model_copy(update=changed), []


def _by_section(given: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The values by section and field, and what is wrong with the names."""
    fields = {
        f"{section}_{field}".upper(): (section, field)
        for section, names in PER_CALL.items()
        for field in names
    }
    chosen: dict[str, dict[str, Any]] = {}
    faults = []
    for name, value in given.items():
        if name in fields:
            section, field = fields[name]
            chosen.setdefault(section, {})[field] = value
        else:
            shown = ascii(name[:_LONGEST_NAME])
            faults.append(f"{shown}: no call can set this; docs/per-call.md says what it can")
    return chosen, faults


def _revised(section: BaseModel, values: dict[str, Any]) -> BaseModel:
    """The same section with other values, checked anew. Raises ValidationError."""
    kept = {name: getattr(section, name) for name in section.model_fields_set}
    return type(section).model_validate({**kept, **values})
