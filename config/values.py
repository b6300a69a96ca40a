"""What the values of settings are made of: addresses, keys, spoken sentences; a section of them."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

ROOT = Path(__file__).resolve().parent.parent


def scheme(*allowed: str, path: bool = True) -> AfterValidator:
    """A validator for addresses that names the schemes which this kind of server answers to."""

    def check(url: str) -> str:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in allowed or not parts.hostname:
            starts = " or ".join(f"{name}://" for name in allowed)
            raise PydanticCustomError("scheme", f"must start with {starts} and name a host")
        if parts.username or parts.query or parts.fragment or (parts.path and not path):
            raise PydanticCustomError("extra", "must be nothing but scheme and host")
        return parts.geturl()

    return AfterValidator(check)


def openai_path(url: str) -> str:
    if not url.endswith("/v1"):
        raise PydanticCustomError("path", "must end in /v1")
    return url


def _latin(key: SecretStr) -> SecretStr:
    """A key travels in a header, which a line break pasted along with the key would end."""
    text = key.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise PydanticCustomError(
            "key", "has a character that no key has (a space, a line break, an accent?)"
        )
    return key


ApiKey = Annotated[SecretStr, AfterValidator(_latin)]
Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Section(BaseModel):
    """A group of variables with one prefix."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_default=True)
