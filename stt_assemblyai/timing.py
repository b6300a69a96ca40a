"""Timeouts of a stream, and how much audio it keeps and sends at once."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Timeouts and sizes, each in the unit that its name says.

    - `chunk_ms`: audio per message, 50 to 1000; else `ValueError`.
    - `replay_speed`: how much faster than real time to send audio that has piled up.
    - `mute_after_ms`: how long audio may be missing in mid-turn before silence stands in for it.
    - `idle_seconds`: how long it may be missing between turns before the session ends, since an
      open one is billed (0 or None: for ever).
    - `roll_over_seconds`: how long before a session expires the next one is opened, at most.
    - `shortest_session_seconds`: how long a session is used before it is replaced ahead of time;
      an expiry that is nearer is not believed.
    - `unanswered_seconds`: how much speech may go without an answer.
    """

    chunk_ms: int = 50
    keep_seconds: float = 60.0
    begin_timeout_seconds: float = 10.0
    termination_timeout_seconds: float = 5.0
    replay_speed: float = 1.25
    mute_after_ms: int = 1000
    idle_seconds: float | None = 60.0
    roll_over_seconds: float = 60.0
    shortest_session_seconds: float = 30.0
    unanswered_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not 50 <= self.chunk_ms <= 1000:
            raise ValueError(f"a chunk of {self.chunk_ms} ms is refused; send 50 to 1000 ms")
