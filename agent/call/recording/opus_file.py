"""A file of sound in two channels: Opus in Ogg, which every browser plays.

The file can be played up to its last page at any time, also if its writer dies.
"""

import errno
import os
from typing import Protocol

import av
import numpy as np

from agent.call.recording.timeline import Samples

RATE = 24_000
"""Samples a second, as voices make them."""
BITS_A_SECOND = 32_000
PAGE_SECONDS = 0.2
"""A page of the file. A writer that dies loses two at most, beside what it has not been given."""


class Sink(Protocol):
    """Where the bytes go: a file."""

    def write(self, data: bytes, /) -> int: ...


class OpusFile:
    """Encodes two voices of RATE samples a second into a sink."""

    def __init__(self, sink: Sink) -> None:
        options = {"flush_packets": "1", "page_duration": str(round(PAGE_SECONDS * 1e6))}
        self._container = av.open(sink, "w", format="ogg", options=options)
        self._stream = self._container.add_stream(
            "libopus",
            rate=RATE,
            layout="stereo",
            # Of ten steps the second: a third less CPU, and speech sounds the same.
            options={"application": "voip", "compression_level": "2"},
        )
        self._stream.codec_context.bit_rate = BITS_A_SECOND

    def write(self, left: Samples, right: Samples) -> None:
        """Add as much of either channel. Raises OSError if the sink does."""
        if left.size:
            frame = av.AudioFrame.from_ndarray(
                np.stack([left, right], axis=1).reshape(1, -1), format="s16", layout="stereo"
            )
            frame.sample_rate = RATE
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write the rest. Raises OSError if the sink does."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


class Descriptor:
    """An open file as a sink. A full disk raises OSError."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def write(self, data: bytes) -> int:
        if self._descriptor is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]
        return len(data)

    def close(self) -> None:
        """Flush it to the disk, and close it, unless it is closed."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
