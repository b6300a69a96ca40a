"""Reads as much as possible of a message whose fields are not as documented.

A value in another form (a float for an int, a number for a text) is converted. A field that cannot
be read is left out, and its default applies. A list item without a required field is left out as a
whole. Only a message that itself lacks a required field is lost.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

__all__ = ["read_leniently"]

_FORMS_OF_NUMBERS = frozenset({"int_from_float", "int_parsing", "int_type", "float_parsing"})
_Model = TypeVar("_Model", bound=BaseModel)
_Path = tuple[int | str, ...]


def read_leniently(model: type[_Model], fields: dict[str, Any]) -> tuple[_Model | None, list[str]]:
    """The message, if enough of it can be read, and a sentence for each fault of the original.

    Changes `fields`. A sentence names the field and the rule, never the value: it may be what a
    caller said.
    """
    faults: list[str] = []
    while True:  # each round converts or removes something: two or three are usual
        try:
            return model.model_validate(fields), faults
        except ValidationError as error:
            found = error.errors(include_url=False)
        faults = faults or list(dict.fromkeys(map(_sentence, found)))
        if not all(_is_optional(fault) for fault in found):
            return None, faults
        for path in sorted(set(_mended(fields, found)), reverse=True):  # later items go first
            _remove(fields, path)


def _is_optional(fault: ErrorDetails) -> bool:
    return fault["type"] != "missing" or len(fault["loc"]) > 1


def _mended(fields: dict[str, Any], found: list[ErrorDetails]) -> Iterator[_Path]:
    """Convert what can be converted; yield the paths of what has to go."""
    for fault in found:
        path = fault["loc"]
        value = None if fault["type"] == "missing" else _converted(fault["type"], fault["input"])
        if value is None:
            yield path[:-1] if fault["type"] == "missing" else path
        else:
            _parent(fields, path)[path[-1]] = value


def _converted(kind: str, value: Any) -> int | str | None:
    """The same value in the documented form; None if it has none."""
    if kind in _FORMS_OF_NUMBERS:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return round(number) if math.isfinite(number) else None
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _remove(fields: dict[str, Any], path: _Path) -> None:
    del _parent(fields, path)[path[-1]]


def _parent(fields: dict[str, Any], path: _Path) -> Any:
    value: Any = fields
    for step in path[:-1]:
        value = value[step]
    return value


def _sentence(fault: ErrorDetails) -> str:
    """One sentence for all items of a list, so that a fault is reported once."""
    name = ".".join("*" if isinstance(step, int) else step for step in fault["loc"])
    return f"{name}: {fault['msg']}"
