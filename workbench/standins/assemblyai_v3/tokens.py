"""Temporary tokens (notes, section 2.1): given out by `/v3/token`, redeemed by a session."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LONGEST_SESSION_SECONDS = 10_800


class TokenRequest(BaseModel):
    """The query of `/v3/token`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    expires_in_seconds: Annotated[int, Field(ge=1, le=600)]
    max_session_duration_seconds: Annotated[int, Field(ge=60, le=LONGEST_SESSION_SECONDS)] = (
        LONGEST_SESSION_SECONDS
    )


@dataclass(frozen=True, slots=True)
class Token:
    """Until when it can be redeemed, on the caller's clock, and for how long a session."""

    redeemable_until: float
    session_cap_seconds: float


class Tokens:
    """All tokens given out. They can be redeemed more than once, as seen on the live service."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def issue(self, request: TokenRequest, now_seconds: float) -> str:
        """A new token."""
        text = secrets.token_urlsafe(32)
        self._tokens[text] = Token(
            now_seconds + request.expires_in_seconds, request.max_session_duration_seconds
        )
        return text

    def find(self, text: str) -> Token | None:
        """None if it was never given out."""
        return self._tokens.get(text)
