"""Pacing: audio is sent as it arrives, and after a gap no faster than the service can follow."""

from __future__ import annotations

from stt_assemblyai.service import FASTEST_SPEED

__all__ = ["Pacer"]


class Pacer:
    """Allows `speed` times real time on average, and `burst_ms` at once. Time is in seconds.

    Live audio never waits: it comes at real time, and small bunches fit into the burst. The
    service processes at most `FASTEST_SPEED` times real time.
    """

    def __init__(self, speed: float = FASTEST_SPEED, burst_ms: float = 200.0) -> None:
        self._speed = speed
        self._burst_seconds = burst_ms / 1000
        self._through_at = float("-inf")  # when all that was sent would be through at this speed

    @property
    def ready_at(self) -> float:
        """When the next chunk may be sent."""
        return self._through_at - self._burst_seconds

    def sent(self, now: float, duration_ms: float) -> None:
        """A chunk of this length has been sent."""
        self._through_at = max(self._through_at, now) + duration_ms / 1000 / self._speed
