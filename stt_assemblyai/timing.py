"""Timeouts of a stream, and how much audio it keeps and sends at once."""

from __future__ import annotations

from dataclasses import dataclass

from stt_assemblyai.service import FASTEST_SPEED, SHORTEST_CHUNK_MS, checked_chunk_ms

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

    chunk_ms: int = SHORTEST_CHUNK_MS
    keep_seconds: float = 60.0
    begin_timeout_seconds: float = 10.0
    termination_timeout_seconds: float = 5.0
    replay_speed: float = FASTEST_SPEED
    mute_after_ms: int = 1000
    idle_seconds: float | None = 60
    roll_over_seconds: float = 60.0
    shortest_session_seconds: float = 30.0
    unanswered_seconds: float = 30.0

    def __post_init__(self) -> None:
        checked_chunk_ms(self.chunk_ms)
