"""The types that settings are made of: addresses, keys, spoken sentences; and a section."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

ROOT = Path(__file__).resolve().parent.parent

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def scheme(*allowed: str, path: bool = True) -> AfterValidator:
    """A validator for addresses with one of these schemes; without `path` they have none."""

    def check(url: str) -> str:
        try:
            parts = urlsplit(url.strip().rstrip("/"))
            has_port = parts.port != 0  # reading the port validates it
        except ValueError:  # a broken IPv6 address, or a port that is not a number
            raise PydanticCustomError("url", "has a host or a port that cannot be") from None
        if parts.scheme not in allowed or not parts.hostname:
            starts = " or ".join(f"{name}://" for name in allowed)
            raise PydanticCustomError("scheme", f"must start with {starts} and name a host")
        if parts.username or parts.query or parts.fragment or (parts.path and not path):
            raise PydanticCustomError("extra", "must be nothing but scheme and host")
        if not has_port or not is_host(parts.hostname) or not parts.geturl().isprintable():
            raise PydanticCustomError("url", "has a host or a port that cannot be")
        return parts.geturl()

    return AfterValidator(check)


def is_host(text: str) -> bool:
    """Whether this may be a host name or an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        is_name = all(_LABEL.fullmatch(_in_ascii(label)) for label in labels)
        return is_name and not labels[-1].isdigit()  # it would be a wrong IPv4 address
    return True


def _in_ascii(label: str) -> str:
    """A label of a host name as it is sent; empty if it cannot be."""
    try:
        return label.encode("idna").decode() if label else ""
    except UnicodeError:
        return ""


def host(text: str) -> str:
    if not is_host(text):
        raise PydanticCustomError("host", "must be an IP address or the name of a host, no more")
    return text


def openai_path(url: str) -> str:
    if not url.endswith("/v1"):
        raise PydanticCustomError("path", "must end in /v1")
    return url


def _latin(key: SecretStr) -> SecretStr:
    """A key travels in a header, and a line break pasted with the key would end that header."""
    text = key.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise PydanticCustomError(
            "key", "has a character that no key has (a space, a line break, an accent?)"
        )
    return key


def _mcp_address(url: SecretStr) -> SecretStr:
    """The path or the query may be a secret; `scheme` refuses no path."""
    text = url.get_secret_value()
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        is_address, parts = False, urlsplit("")
    if not is_address or not is_host(parts.hostname or "") or not text.isprintable():
        raise PydanticCustomError("address", "must be an address such as https://example.com/mcp")
    return url


_REDIS_OPTIONS = frozenset(
    {"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname", "ssl_cert_reqs"}
)


def _redis_address(url: SecretStr) -> SecretStr:
    """It may hold a password; the query holds options of Redis' client."""
    text = url.get_secret_value()
    try:
        parts = urlsplit(text)
        options = parse_qs(parts.query, strict_parsing=bool(parts.query))
        is_address = parts.port != 0 and text.isprintable() and not parts.fragment
    except ValueError:
        is_address, parts, options = False, urlsplit(""), {}
    if parts.scheme == "unix":
        is_place = len(parts.path) > 1 and not parts.hostname
    else:
        is_database = re.fullmatch(r"(/\d{0,5})?", parts.path)
        is_place = parts.scheme in ("redis", "rediss") and bool(is_database)
        is_place = is_place and is_host(parts.hostname or "")
    if not is_address or not is_place or not _REDIS_OPTIONS.issuperset(options):
        raise PydanticCustomError(
            "address", "must be redis://HOST:PORT, rediss://HOST:PORT for TLS, or unix:///PATH"
        )
    return url


def _at_home(path: Path) -> Path:
    """Expand ~, as a shell would: no shell reads `.env`."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise PydanticCustomError("home", "begins with ~, which is no folder here") from None


Location = Annotated[Path, AfterValidator(_at_home)]
Host = Annotated[str, AfterValidator(host)]
ApiKey = Annotated[SecretStr, AfterValidator(_latin)]
McpAddress = Annotated[SecretStr, AfterValidator(_mcp_address)]
RedisAddress = Annotated[SecretStr, AfterValidator(_redis_address)]
Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Spoken = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
"""One spoken sentence or a few: a minute of speech at most."""


class Section(BaseModel):
    """A group of variables with one prefix."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_default=True)
