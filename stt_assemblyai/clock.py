"""Audio clock: maps a session's milliseconds to the stream's, through all connections.

A session counts from the first byte that it received (protocol notes, section 6). Its audio may
start anywhere in the stream, skip a part, or be silence that was never in the stream.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

__all__ = ["AudioClock"]


_LATEST_MS = 5000  # after all that was sent: a word's end is padded by less (section 7.3)


class _Piece(NamedTuple):
    session_ms: float
    stream_ms: float
    rate: int  # 1 for the stream's own audio, 0 for stand-in silence


class AudioClock:
    """The sender writes it; the turn mapper reads it."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._lead_ms: float | None = None  # stream minus session time, while audio goes on
        self.session_ms = 0.0

    def sent(self, stream_ms: float, duration_ms: float) -> None:
        """The stream's audio from `stream_ms` on has been sent."""
        lead_ms = stream_ms - self.session_ms
        if self._lead_ms is None or abs(self._lead_ms - lead_ms) > 1:
            self._pieces.append(_Piece(self.session_ms, stream_ms, 1))
            self._lead_ms = lead_ms
        self.session_ms += duration_ms

    def sent_silence(self, duration_ms: float) -> None:
        """Silence has been sent that is not in the stream, whose clock stands still."""
        if not self._pieces or self._pieces[-1].rate == 1:
            at = self._stream_at(self.session_ms)
            self._pieces.append(_Piece(self.session_ms, at, 0))
            self._lead_ms = None
        self.session_ms += duration_ms

    def to_stream(self, session_ms: float) -> int:
        """A session's time on the stream's clock. A time before or far after all that was sent
        becomes the nearest possible one."""
        session_ms = min(max(0, session_ms), self.session_ms + _LATEST_MS)
        if self._lead_ms is not None and session_ms >= self._pieces[-1].session_ms:
            return round(session_ms + self._lead_ms)  # the usual case: each word asks twice
        return round(self._stream_at(session_ms))

    def _stream_at(self, session_ms: float) -> float:
        if not self._pieces:
            return session_ms
        index = bisect_right(self._pieces, session_ms, key=lambda piece: piece.session_ms) - 1
        piece = self._pieces[max(index, 0)]
        return piece.stream_ms + (session_ms - piece.session_ms) * piece.rate
