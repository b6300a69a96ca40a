"""Removes our own secrets from the service's messages, in case it repeats them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

__all__ = ["MASKED", "mask_for"]

MASKED = "********"
_SECRETS = ("token", "webhook_auth_header_value")  # parameters of the query
_SHORTEST_SECRET = 8  # characters; a shorter one may be a word


def mask_for(query: str, api_key: SecretStr | None) -> Callable[[str], str]:
    """A function that masks the key and the secrets of a session's query in a text."""
    secrets = [value for name, value in parse_qsl(query) if name in _SECRETS]
    secrets += [api_key.get_secret_value()] if api_key else []
    long = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    spelt = {form for secret in long for form in (secret, quote(secret, safe=""))}

    def masked(text: str) -> str:
        for secret in spelt:
            text = text.replace(secret, MASKED)
        return text

    return masked
