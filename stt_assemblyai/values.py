"""The types of parameters: lists, pairs, objects and texts, each readable from one text."""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from stt_assemblyai.service import LONGEST_CONTEXT, LONGEST_TERM, MOST_TERMS

__all__ = [
    "Context",
    "Fraction",
    "JsonObject",
    "LanguageTags",
    "Milliseconds",
    "ModelName",
    "Names",
    "Pairs",
    "Terms",
    "WebAddress",
]


def _as_list(value: object) -> object:
    """Read a text as a list: a JSON array, or values separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _parsed(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _as_object(value: object) -> object:
    """Read a text as a JSON object."""
    return _parsed(value) if isinstance(value, str) else value


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _as_pairs(value: object) -> object:
    """Read a text as a JSON object, or as pairs separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("{"):
        return _parsed(value)
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise PydanticCustomError("pairs", "must be name=value,name=value or a JSON object")
    return {name.strip(): text.strip() for name, _, text in pairs}


def _as_languages(value: object) -> object:
    """Read a list of bare codes, each once: en-US and en-GB both become en."""
    listed = _as_list(value)
    if not isinstance(listed, list | tuple) or not all(isinstance(code, str) for code in listed):
        return listed
    bare = (code.strip().replace("_", "-").partition("-")[0].lower() for code in listed)
    return list(dict.fromkeys(code for code in bare if code))


def _web_address(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("http://", "https://")):
        raise PydanticCustomError("address", "must start with http:// or https://")
    return url


def _name(text: str) -> str:
    if not re.fullmatch(r"[\w.:/-]+", text, re.ASCII):
        raise PydanticCustomError("name", "must be a name such as universal-3-6-pro")
    return text


ModelName = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(_name)
]
Milliseconds = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Term = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TERM)
]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}|multi)$")]
Terms = Annotated[tuple[Term, ...], BeforeValidator(_as_list), Field(max_length=MOST_TERMS)]
LanguageTags = Annotated[
    tuple[LanguageTag, ...], BeforeValidator(_as_languages), Field(max_length=10)
]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(_as_object)]
Pairs = Annotated[dict[str, JsonValue], BeforeValidator(_as_pairs)]
Context = Annotated[str, StringConstraints(max_length=LONGEST_CONTEXT)]
WebAddress = Annotated[SecretStr, AfterValidator(_web_address)]
"""It may hold a secret, as webhook addresses often do."""
