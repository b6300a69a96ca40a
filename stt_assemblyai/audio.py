"""Keeps PCM, cuts it into messages that the service accepts, and converts it to mu-law.

A message holds 50 to 1000 ms (protocol notes, section 6). The service counts shorter ones against
the session, so a remainder waits until more audio comes; only the session's tail may be short. PCM
is signed 16 bit little-endian, mono.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stt_assemblyai.service import SHORTEST_CHUNK_MS, checked_chunk_ms

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SAMPLE_BYTES", "AudioClock", "ReplayBuffer", "to_mono", "to_mulaw"]

SAMPLE_BYTES = 2
_LATEST_MS = 5000  # after all that was sent: a word's end is padded by less (section 7.3)


class ReplayBuffer:
    """The replay buffer: the stream's audio by position in bytes, read in whole chunks.

    A chunk is `chunk_ms` (50 to 1000) long and never a sample shorter: the length is rounded up,
    since 1102 samples at 22050 Hz would be 49.98 ms and refused. At most `keep_seconds` are kept;
    `dropped_ms` counts what a full buffer dropped before it was released.
    """

    def __init__(
        self, sample_rate: int, *, chunk_ms: int = SHORTEST_CHUNK_MS, keep_seconds: float = 60.0
    ) -> None:
        self._bytes_per_second = sample_rate * SAMPLE_BYTES
        self.chunk_bytes = math.ceil(sample_rate * checked_chunk_ms(chunk_ms) / 1000) * SAMPLE_BYTES
        self.chunk_ms = self.milliseconds(self.chunk_bytes)  # exactly
        self.keep_bytes = max(self.position(keep_seconds * 1000), self.chunk_bytes)
        self._kept = bytearray()
        self.start = self.end = 0  # the positions of the oldest sample, and behind the newest
        self._dropped_bytes = 0

    @property
    def dropped_ms(self) -> int:
        return int(self.milliseconds(self._dropped_bytes))

    def append(self, pcm: bytes | memoryview) -> None:
        """Add the newest audio; a full buffer drops the oldest."""
        self._kept += pcm
        self.end += len(pcm)
        if (excess := len(self._kept) - self.keep_bytes) > 0:
            excess += excess % SAMPLE_BYTES
            self._dropped_bytes += excess
            self._forget(excess)

    def chunk(self, at: int, size: int = 0) -> bytes | None:
        """A whole chunk, or `size` bytes, at a position; None if not all of it is here, or no
        longer."""
        begin = at - self.start
        end = begin + (size or self.chunk_bytes)
        return bytes(self._kept[begin:end]) if begin >= 0 and end <= len(self._kept) else None

    def tail(self, at: int) -> bytes:
        """What is left of the last chunk, in whole samples, to send right before Terminate."""
        return self._read(at, self.chunk_bytes)

    def between(self, from_ms: float, until_ms: float) -> bytes:
        """The audio kept between two times, in whole samples."""
        start, end = max(self.start, self.position(from_ms)), self.position(until_ms)
        return self._read(start, max(0, end - start))

    def release(self, until: int) -> None:
        """Forget the audio before this position."""
        size = min(max(0, until - self.start), len(self._kept))
        self._forget(size - size % SAMPLE_BYTES)

    def milliseconds(self, position: int) -> float:
        """The exact time of a position: a chunk at 22050 Hz is 50.02 ms long."""
        return position * 1000 / self._bytes_per_second

    def position(self, milliseconds: float) -> int:
        """The position of a time, at the start of a sample."""
        return int(milliseconds * self._bytes_per_second / 1000) // SAMPLE_BYTES * SAMPLE_BYTES

    def _read(self, at: int, size: int) -> bytes:
        """Whole samples only: half of the newest one may be here."""
        begin = at - self.start
        whole = len(self._kept) - len(self._kept) % SAMPLE_BYTES
        return bytes(self._kept[begin : min(begin + size, whole)])

    def _forget(self, size: int) -> None:
        del self._kept[:size]
        self.start += size


class _Piece(NamedTuple):
    session_ms: float
    stream_ms: float
    rate: int  # 1 for the stream's own audio, 0 for stand-in silence


class AudioClock:
    """One session's clock. Whatever sends audio writes it; the turn mapper reads it."""

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


def to_mono(pcm: bytes | memoryview, channels: int) -> bytes:
    """Mix interleaved channels into one by their mean."""
    if channels == 1:
        return bytes(pcm)
    frames: npt.NDArray[np.int16] = np.frombuffer(pcm, "<i2").reshape(-1, channels)
    mixed: npt.NDArray[np.int16] = frames.mean(axis=1).astype("<i2")
    return mixed.tobytes()


def to_mulaw(pcm: bytes) -> bytes:
    """PCM as ITU-T G.711 mu-law: one byte for each sample."""
    samples: npt.NDArray[np.uint16] = np.frombuffer(pcm, "<u2")
    return _mulaw_table()[samples].tobytes()


@functools.cache
def _mulaw_table() -> npt.NDArray[np.uint8]:
    """The mu-law byte of each of the 65536 samples, indexed by the sample's bits."""
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(samples), 32635) + 132  # G.711's clip and bias
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    table: npt.NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return table
