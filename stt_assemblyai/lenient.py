"""Read what can be read of a message whose fields are not what was promised.

A value that stands in another form (a float for an int, a number for a text) is converted; a field
that cannot be read is left out, and its default holds; a list's item without a field that it needs
is left out as a whole. Only a message without a field that it needs itself is lost.
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
    """The message, if enough of it can be read, and a sentence for each fault of the first look.

    `fields` is changed. A sentence names the field and the rule, and never the value: it may be
    what a caller said.
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
    """Convert what can be converted; gives the places of what has to go."""
    for fault in found:
        path = fault["loc"]
        value = None if fault["type"] == "missing" else _converted(fault["type"], fault["input"])
        if value is None:
            yield path[:-1] if fault["type"] == "missing" else path
        else:
            _parent(fields, path)[path[-1]] = value


def _converted(kind: str, value: Any) -> int | str | None:
    """The same value in the form that was promised; None where it has none."""
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
    """The same for each item of a list, so that one fault is told once."""
    name = ".".join("*" if isinstance(step, int) else step for step in fault["loc"])
    return f"{name}: {fault['msg']}"
