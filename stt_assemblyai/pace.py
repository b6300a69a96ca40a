"""Pacing: audio is sent as it arrives, and after a gap no faster than the service can follow."""

from __future__ import annotations

from stt_assemblyai.service import FASTEST_SPEED

__all__ = ["Pacer"]


class Pacer:
    """Allows `speed` times real time on average, and `burst_ms` at once.

    Live audio never waits: it comes at real time, and small bunches fit into the burst. The
    service processes at most `FASTEST_SPEED` times real time.
    """

    def __init__(self, speed: float = FASTEST_SPEED, burst_ms: float = 200.0) -> None:
        self._speed = speed
        self._burst_seconds = burst_ms / 1000
        self._free_at = float("-inf")

    def delay(self, now: float) -> float:
        """Seconds to wait before the next chunk may be sent."""
        return max(0.0, self._free_at - self._burst_seconds - now)

    def ready(self, now: float) -> bool:
        """Whether the next chunk may be sent at once."""
        return self._free_at <= now + self._burst_seconds

    def sent(self, now: float, duration_ms: float) -> None:
        """A chunk of this length has been sent."""
        self._free_at = max(self._free_at, now) + duration_ms / 1000 / self._speed
