"""Reads what a TTS sends as sound: 16 bit PCM of any rate, or WAV. Rejects what is not sound. Pure
but for LiveKit's resampler.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from livekit import rtc

from agent.call.models.errors import ResponseError

SAMPLE_RATE = 24_000
SAMPLE_BYTES = 2
# Types that may be raw samples. If the data begins like a file, it is read as that file.
RAW_TYPES = frozenset(
    {"", "audio/pcm", "audio/raw", "audio/x-pcm", "audio/l16", "audio/x-raw",
     "application/octet-stream", "binary/octet-stream"}
)  # fmt: skip
WAV_TYPES = frozenset({"audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"})
# Formats that LiveKit decodes, by their first bytes.
FILES = {b"ID3": "audio/mpeg", b"OggS": "audio/ogg", b"fLaC": "audio/flac"}
DECODED_TYPES = frozenset(
    {"audio/mpeg", "audio/mp3", "audio/x-mpeg", "audio/aac", "audio/x-aac", "audio/flac",
     "audio/x-flac", "audio/opus", "audio/ogg", "audio/webm", "audio/mp4"}
)  # fmt: skip
PCM_FORMATS = (1, 0xFFFE)
LONGEST_HEADER_BYTES = 64 * 1024


class NotSoundError(ResponseError):
    """Text, or a format that cannot be played."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A Content-Type header."""

    name: str
    rate: int
    """In samples a second."""
    channels: int

    @classmethod
    def of(cls, header: str) -> "MediaType":
        """Parse a header. The defaults are 24 kHz and mono."""
        name, *parameters = (part.strip().lower() for part in header.split(";"))
        given = dict(part.partition("=")[::2] for part in parameters)
        return cls(name, _number(given, "rate", SAMPLE_RATE), _number(given, "channels", 1))


def decoded_type(media: MediaType, head: bytes) -> str | None:
    """The type for LiveKit's decoder, by a response's first bytes; None if `Samples` reads it.

    Raises NotSoundError.
    """
    if head.startswith(b"RIFF"):
        return None
    if (
        media.name.startswith("text/")
        or "json" in media.name
        or "xml" in media.name
        or _is_text(head)
    ):
        raise NotSoundError(f"it sent {media.name or 'text'} instead of sound")
    for magic, name in FILES.items():
        if head.startswith(magic):
            return name
    if _is_mp3(head):
        return "audio/mpeg"
    if media.name in RAW_TYPES:
        return None
    if media.name in DECODED_TYPES:
        return media.name
    raise NotSoundError(f"it sent {media.name}, which cannot be played")


class Samples:
    """Turns PCM or WAV, in pieces of any length, into 16 bit mono samples of 24 kHz."""

    def __init__(self, media: MediaType) -> None:
        self._layout: tuple[int, int] | None = (media.rate, media.channels)
        self._left: int | None = None
        """How many bytes of sound are left by the header; metadata may follow them."""
        self._rest = b""
        self._resampler: rtc.AudioResampler | None = None
        self._is_first = True

    def push(self, piece: bytes) -> bytes:
        """Add bytes. Returns the samples that are now complete. Raises NotSoundError."""
        self._rest += piece
        if self._is_first:
            if len(self._rest) < 4 and b"RIFF".startswith(self._rest[:4]):
                return b""
            self._is_first = False
            if self._rest.startswith(b"RIFF"):
                self._layout = None
        if self._layout is None and not self._read_header():
            return b""
        return self._samples()

    def flush(self) -> bytes:
        """What the resampler still holds."""
        frames = self._resampler.flush() if self._resampler else []
        return b"".join(bytes(frame.data) for frame in frames)

    def _read_header(self) -> bool:
        """Remove a WAV header, once it is complete. Returns whether it was."""
        layout = None
        for name, start, size in _chunks(self._rest):
            if name == b"data":
                if layout is None:
                    raise NotSoundError("a WAV file without a format")
                self._layout = layout
                # A server that streams does not know the length: 0, or the largest number.
                self._left = size if 0 < size < 0x7FFF_0000 else None
                self._rest = self._rest[start:]
                return True
            if name == b"fmt " and len(self._rest) >= start + 16:
                layout = _layout(self._rest[start : start + 16])
        if len(self._rest) > LONGEST_HEADER_BYTES:
            raise NotSoundError("a WAV file without sound")
        return False

    def _samples(self) -> bytes:
        assert self._layout is not None
        rate, channels = self._layout
        step = SAMPLE_BYTES * channels
        size = len(self._rest) // step * step
        data, self._rest = self._rest[:size], self._rest[size:]
        if self._left is not None:
            data = data[: self._left // step * step]
            self._left -= len(data)
        if channels > 1:
            frames = np.frombuffer(data, "<i2").reshape(-1, channels)
            data = frames.mean(axis=1).astype("<i2").tobytes()
        return data if rate == SAMPLE_RATE else self._resampled(data, rate)

    def _resampled(self, data: bytes, rate: int) -> bytes:
        if self._resampler is None:
            self._resampler = rtc.AudioResampler(rate, SAMPLE_RATE)
        return b"".join(bytes(frame.data) for frame in self._resampler.push(bytearray(data)))


def _chunks(riff: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk with a complete header."""
    at = 12
    while at + 8 <= len(riff):
        name, size = struct.unpack_from("<4sI", riff, at)
        yield name, at + 8, size
        at += 8 + size + size % 2


def _layout(fmt: bytes) -> tuple[int, int]:
    """Rate and channels."""
    form, channels, rate, _, _, bits = struct.unpack("<HHIIHH", fmt)
    if form not in PCM_FORMATS or bits != 8 * SAMPLE_BYTES or not channels or not rate:
        raise NotSoundError(f"a WAV file of {bits} bit in format {form}, which cannot be played")
    return rate, channels


def _is_mp3(head: bytes) -> bool:
    """Whether it is an MPEG layer III frame without a tag. Played as samples, it would be noise."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[1] & 0x18 == 0x08:
        return False
    return head[2] >> 4 not in (0, 15) and head[2] & 0x0C != 0x0C


def _is_text(head: bytes) -> bool:
    """Whether it is markup or JSON, whatever the header says: this much sound is never all
    printable."""
    start = head[:64]
    return (
        start.lstrip()[:1] in (b"<", b"{")
        and len(start) >= 8
        and start.isascii()
        and (all(byte >= 32 or byte in b"\t\r\n" for byte in start))
    )


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, "").strip('"')
    return int(text) if text.isdecimal() and int(text) > 0 else default
