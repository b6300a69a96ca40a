"""A client's WebSocket frames (RFC 6455, section 5.2): whole, masked, without extensions.

The library's own serializer also fragments, runs extensions and checks control frames, and asks the
kernel for each mask: that costs three times as much, twenty times a second.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MaskedFrames"]

_TEXT, _BINARY = 0x81, 0x82  # the last frame of its message
_MASKED = 0x80
_MASK_BYTES = 4
_MASKS_AT_ONCE = 256


class MaskedFrames:
    """Makes one connection's frames.

    `random_bytes(size)` gives bytes that nobody can foresee; `masked(data, mask)` is the data, each
    byte combined by exclusive or with the next of the mask's four.
    """

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        masked: Callable[[bytes, bytes], bytes],
    ) -> None:
        self._random_bytes = random_bytes
        self._masked = masked
        self._masks = b""
        self._used = 0
        self._size, self._head = -1, b""  # of the last binary message: audio has one size

    def frame(self, message: str | bytes) -> bytes:
        """The frame that holds this message."""
        if isinstance(message, str):
            data = message.encode()
            head = _head(_TEXT, len(data))
        else:
            data = message
            if len(data) != self._size:
                self._size, self._head = len(data), _head(_BINARY, len(data))
            head = self._head
        mask = self._mask()
        return head + mask + self._masked(data, mask)

    def _mask(self) -> bytes:
        if self._used == len(self._masks):
            self._masks, self._used = self._random_bytes(_MASKS_AT_ONCE * _MASK_BYTES), 0
        begin, self._used = self._used, self._used + _MASK_BYTES
        return self._masks[begin : self._used]


def _head(kind: int, size: int) -> bytes:
    if size < 126:
        return struct.pack("!BB", kind, _MASKED | size)
    if size < 1 << 16:
        return struct.pack("!BBH", kind, _MASKED | 126, size)
    return struct.pack("!BBQ", kind, _MASKED | 127, size)
