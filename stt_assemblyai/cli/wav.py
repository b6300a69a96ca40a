"""Reads WAV and raw PCM in pieces of any size, as they come from a file or a pipe."""

from __future__ import annotations

import codecs
import struct
from dataclasses import dataclass

from stt_assemblyai.audio import SAMPLE_BYTES, to_mono

__all__ = ["CONVERT", "Layout", "PcmReader", "UnreadableError", "wav_layout"]

CONVERT = "Give such a file by its name, or convert it: ffmpeg -i FILE -f wav -c:a pcm_s16le -"

_TEXT_SENTENCE = f"The input is text, not sound. {CONVERT}"

_PCM, _EXTENSIBLE = 0x0001, 0xFFFE
_LONGEST_KNOWN_BYTES = 0x7FFF_0000  # writers into a pipe use a figure like this for "unknown"
_LONG_ENOUGH = 64  # bytes, to tell text from sound
_CONTAINERS = (b"ID3", b"OggS", b"fLaC", b"RF64", b"RIFX", b"FORM", b"caff", b"\x1a\x45\xdf\xa3")


class UnreadableError(Exception):
    """The input cannot be read as sound; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of PCM: signed 16 bit little-endian. `data_bytes` None means to the end."""

    sample_rate: int = 16_000
    channels: int = 1
    data_bytes: int | None = None

    @property
    def frame_bytes(self) -> int:
        return self.channels * SAMPLE_BYTES


class PcmReader:
    """Takes WAV, or raw PCM with the layout `raw`, in pieces of any size, and gives mono PCM.

    `layout` is None until enough data has come. Every method may raise UnreadableError.
    """

    def __init__(self, raw: Layout) -> None:
        self.layout: Layout | None = None
        self._raw = raw
        self._held = b""
        self._left: int | None = None

    def feed(self, data: bytes) -> bytes:
        """The whole samples that have come by now; the rest waits for more."""
        self._held += data
        if self.layout is None and not self._recognise():
            return b""
        assert self.layout is not None
        size = len(self._held) if self._left is None else min(self._left, len(self._held))
        size -= size % self.layout.frame_bytes
        pcm, self._held = self._held[:size], self._held[size:]
        if self._left is not None:
            self._left -= size
        return to_mono(pcm, self.layout.channels)

    @property
    def complete(self) -> bool:
        """Whether a WAV file's sound is all here, whatever follows it."""
        return self._left is not None and self._left < SAMPLE_BYTES

    def finish(self) -> None:
        """No more data will come: raise an error if that is too early."""
        if self.layout is None:
            if _is_text(self._held) and not self._held.startswith(b"RIFF"):
                raise UnreadableError(_TEXT_SENTENCE)
            raise UnreadableError("The input ends before its sound begins.")

    def _recognise(self) -> bool:
        if len(self._held) < 12:
            return False
        if self._held.startswith(_CONTAINERS) or self._held[4:8] == b"ftyp":
            raise UnreadableError(f"Standard input takes WAV or raw PCM. {CONVERT}")
        if self._held[:4] == b"RIFF" and self._held[8:12] == b"WAVE":
            found = wav_layout(self._held)
            if found is None:
                return False
            self.layout, begin = found
        elif _is_text(self._held):
            if len(self._held) >= _LONG_ENOUGH:
                raise UnreadableError(_TEXT_SENTENCE)
            return False
        else:
            self.layout, begin = self._raw, 0
        self._held, self._left = self._held[begin:], self.layout.data_bytes
        return True


def wav_layout(head: bytes) -> tuple[Layout, int] | None:
    """A WAV file's layout, and where its sound begins; None while the head is incomplete.

    Raises UnreadableError for anything but 16 bit PCM.
    """
    at, layout = 12, None
    while at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        at += 8
        if name == b"data":
            if layout is None:
                raise UnreadableError("The WAV file does not say how its sound is stored.")
            known = size if 0 < size < _LONGEST_KNOWN_BYTES else None
            return Layout(layout.sample_rate, layout.channels, known), at
        if name == b"fmt " and at + size <= len(head):
            layout = _format_chunk(head[at : at + size])
        at += size + size % 2
    return None


def _is_text(data: bytes) -> bool:
    """Whether this is text; its last character may be incomplete."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return bool(text) and all(c.isprintable() or c.isspace() for c in text)


def _format_chunk(chunk: bytes) -> Layout:
    if len(chunk) < 16:
        raise UnreadableError("The WAV file is damaged.")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        (kind,) = struct.unpack_from("<H", chunk, 24)
    if kind != _PCM or bits != 16 or not channels:
        raise UnreadableError(f"The WAV file holds something other than 16 bit PCM. {CONVERT}")
    return Layout(rate, channels)
