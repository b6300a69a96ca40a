"""How long a stream waits for what, and how much audio it keeps and sends at once."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait for what, in the unit that each name says.

    `chunk_ms` is how much audio a message holds, 50 to 1000; else `ValueError` is raised.
    `replay_speed` is how much faster than real time audio may be sent that piled up;
    `mute_after_ms` is how long audio may lack in mid-turn before silence stands in for it;
    `idle_seconds` is how long it may lack between turns before the session is ended, since an open
    one costs whether it is used or not (0 or None: for ever); `roll_over_seconds` is how long
    before a session expires the next one begins to listen, at most; `shortest_session_seconds` is
    how long one is used before it is replaced ahead of its time, and an expiry that is nearer is
    not believed; `unanswered_seconds` is how long speech may be sent of which nothing is said.
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
