"""Which values are secret, and how to show a value to a person."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import Secret, SecretStr

from config.settings import Settings

MASKED = "********"


def secrets_of(settings: Settings) -> set[str]:
    """Every secret text in force, and the parts of values that may hold a secret."""
    found = settings.telemetry.secrets()
    for section in (settings.livekit, settings.assemblyai, settings.openai, settings.agent):
        for name in type(section).model_fields:
            value = getattr(section, name)
            if isinstance(value, Secret | SecretStr):
                found |= set(_texts(value.get_secret_value()))
    return found - {""}


def shown(value: object) -> str:
    """A value as a person may see it."""
    match value:
        case Secret() | SecretStr():
            return MASKED
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def _texts(value: object, *, key: str = "") -> Iterator[str]:
    """The texts inside a value, without those that every request has."""
    match value:
        case str() if value.startswith(("redis://", "rediss://", "unix://")):
            yield urlsplit(value).password or ""  # a database's number and a user are none
        case str() if "://" in value:
            parts = urlsplit(value)
            yield from (parts.path, parts.query, parts.username or "", parts.password or "")
        case str() if key not in ("model", "role"):
            yield value
        case dict():
            for name, part in value.items():
                yield from _texts(part, key=name)
        case list() | tuple():
            for part in value:
                yield from _texts(part)
