"""How the OpenAI stand-in answers in time, and how it fails."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True)
class Pace:
    """Delays when nothing is wrong."""

    first_token_ms: int = 0
    token_ms: int = 0
    first_sound_ms: int = 0


class Fault(BaseModel):
    """What goes wrong with the next `times` requests to this endpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: Literal["chat", "speech"]
    times: int = 1
    status: int | None = None
    """Answer with this HTTP status."""
    code: str | None = None
    """With this code in the answer, in place of the usual one: `insufficient_quota`, say."""
    delay_ms: int = 0
    """Wait so long first."""
    hang: bool = False
    """Accept the request and answer nothing."""
    break_after_chunks: int | None = None
    """Break the connection off after so many chunks of the answer."""
    stall_after_chunks: int | None = None
    """Say nothing more after so many chunks of the answer, and keep the connection."""
