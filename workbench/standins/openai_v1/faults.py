"""How the OpenAI stand-in answers in time, and how it fails."""

from dataclasses import dataclass
from typing import Any, Literal

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
    for_seconds: float | None = None
    """In place of `times`: from the first request that it meets on."""
    about: str | None = None
    """Only requests in whose conversation, or text to be spoken, this stands."""
    on_reused_connections: bool = False
    """Only requests on a connection that has carried one before."""
    status: int | None = None
    """Answer with this HTTP status."""
    code: str | None = None
    """With this code in the answer, in place of the usual one: `insufficient_quota`, say."""
    headers: dict[str, str] = {}
    """And with these headers: Retry-After, say."""
    content_type: str | None = None
    """Answer 200 with a body of this type: `body`, which is not what was asked for."""
    body: str = ""
    keep_alive: bool = False
    """Answer 200 and then send comments, and nothing else."""
    events: list[dict[str, Any]] | None = None
    """Stream these events in place of the answer, and end."""
    says: str | None = None
    """Answer a chat with this text."""
    finish_reason: str | None = None
    """End a chat with this reason; an empty one leaves it out."""
    delay_ms: int = 0
    """How long to wait first."""
    hang: bool = False
    """Accept the request and answer nothing."""
    break_after_chunks: int | None = None
    """Break the connection off after this many chunks of the answer."""
    stall_after_chunks: int | None = None
    """Say nothing more after this many chunks of the answer, and keep the connection."""
