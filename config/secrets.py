"""Which values are secret, and how a value is shown to a person."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from config.settings import Settings

MASKED = "********"

_LOOSE = ("webhook_url", "llm_gateway")
"""Fields whose values are the operator's own to make up, so that a secret may be a part of them."""


def secrets_of(settings: Settings) -> set[str]:
    """Every secret text in force, and whatever may be one."""
    found: set[str] = set()
    for section in (settings.livekit, settings.assemblyai, settings.openai, settings.agent):
        for name, value in _fields(section):
            if isinstance(value, SecretStr):
                found.add(value.get_secret_value())
            elif name == "webhook_url" and value:
                parts = urlsplit(str(value))
                found |= {parts.path, parts.query, parts.username or "", parts.password or ""}
            elif name in _LOOSE and value:
                found |= set(_texts(value))
    return found - {""}


def shown(name: str, value: object) -> str:
    """A value as a person may see it; `name` is the field's."""
    if isinstance(value, SecretStr):
        return MASKED
    if value is None:
        return ""
    if name == "webhook_url":
        parts = urlsplit(str(value))
        rest = f"/{MASKED}" if parts.path.strip("/") or parts.query or parts.username else ""
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{rest}"
    if name in _LOOSE:
        model = value.get("model") if isinstance(value, dict) else None
        return json.dumps({"model": model, "...": MASKED}, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)


def _fields(section: BaseModel) -> Iterator[tuple[str, object]]:
    for name in type(section).model_fields:
        yield name, getattr(section, name)


def _texts(value: object, *, key: str = "") -> Iterator[str]:
    """The texts within a JSON value; a model's name is no secret."""
    match value:
        case str() if key != "model":
            yield value
        case dict():
            for name, part in value.items():
                yield from _texts(part, key=name)
        case list():
            for part in value:
                yield from _texts(part)
