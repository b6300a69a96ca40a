"""Usage: the seconds that each session is billed for, and the audio that it was sent.

The service bills wall-clock time while a session is open (protocol notes, section 14). Its own
figure comes with the Termination; without one, our clock gives an estimate, marked as such.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from stt_assemblyai.events import SessionUsage

__all__ = ["Sent", "UsageMeter"]


class Sent(NamedTuple):
    """What one session was sent: the stream from `from_ms` to `until_ms`, and `total_ms` in all,
    with stand-in silence."""

    from_ms: float
    until_ms: float
    total_ms: float


@dataclass(slots=True)
class UsageMeter:
    """The usage of a stream: its `sessions` that are over, and those that are open.

    `report` gives each billed second once, also of open sessions. The caller chooses each session's
    `key`: the service's id may be missing or not unique.
    """

    sessions: list[SessionUsage] = field(default_factory=list)
    _opened_at: dict[Hashable, float] = field(default_factory=dict)  # sessions that are open now
    _reported_seconds: float = 0.0
    _heard_until_ms: float = 0.0  # how far into the stream any session was sent

    def open(self, key: Hashable, now: float) -> None:
        """The service accepted a session."""
        self._opened_at[key] = now

    def close(
        self,
        key: Hashable,
        now: float,
        session_id: str,
        reason: str,
        billed_seconds: float | None,
        sent: Sent,
    ) -> SessionUsage | None:
        """A session is over: its usage, or None if it was never accepted and costs nothing."""
        new_ms = max(0.0, sent.until_ms - max(self._heard_until_ms, sent.from_ms))
        self._heard_until_ms = max(self._heard_until_ms, sent.until_ms)
        opened_at = self._opened_at.pop(key, None)
        if opened_at is None:
            return None
        usage = SessionUsage(
            session_id,
            reason,
            now - opened_at if billed_seconds is None else billed_seconds,
            billed_seconds is None,
            audio_sent_seconds=sent.total_ms / 1000,
            audio_resent_seconds=max(0.0, sent.total_ms - new_ms) / 1000,
        )
        self.sessions.append(usage)
        return usage

    def total_seconds(self, now: float) -> float:
        """All sessions, closed and open."""
        closed = sum(session.billed_seconds for session in self.sessions)
        return closed + sum(now - opened_at for opened_at in self._opened_at.values())

    def report(self, now: float) -> float:
        """The seconds since the last report; later reports subtract what was estimated too high."""
        seconds = max(0.0, self.total_seconds(now) - self._reported_seconds)
        self._reported_seconds += seconds
        return seconds
