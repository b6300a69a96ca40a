"""Sound from a file or from standard input, as PCM that a stream takes: 16 bit, mono.

WAV and raw PCM are read right here, in pieces of any size, so that a pipe is heard while it is
still being written. All other files are decoded by PyAV, which LiveKit decodes with, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from stt_assemblyai.audio import SAMPLE_BYTES, to_mono

__all__ = ["Layout", "PcmReader", "Sound", "UnreadableError", "open_sound"]

STANDARD_INPUT = "-"
DECODED_RATE = 16_000
_RATES = range(8_000, 96_001)  # what the service takes (protocol notes, section 4)
_READ_BYTES = 16_384
_PCM, _EXTENSIBLE = 0x0001, 0xFFFE
_LONGEST_KNOWN_BYTES = 0x7FFF_0000  # who writes into a pipe puts a figure like this for "unknown"
_CONTAINERS = (b"ID3", b"OggS", b"fLaC", b"RF64", b"RIFX", b"FORM", b"caff", b"\x1a\x45\xdf\xa3")
_CONVERT = "Give such a file by its name, or convert it: ffmpeg -i FILE -f wav -c:a pcm_s16le -"


class UnreadableError(Exception):
    """The input is no sound that can be read; the text is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How PCM lies in its bytes: signed 16 bit little-endian. `data_bytes` is None to the end."""

    sample_rate: int = DECODED_RATE
    channels: int = 1
    data_bytes: int | None = None

    @property
    def frame_bytes(self) -> int:
        return self.channels * SAMPLE_BYTES


@dataclass(frozen=True, slots=True)
class Sound:
    """`pieces` come as they can be read; they raise UnreadableError where the input is damaged."""

    sample_rate: int
    pieces: AsyncIterator[bytes]
    seconds: float | None = None


class PcmReader:
    """Takes WAV, or else raw PCM laid out as `raw`, in pieces of any size, and gives mono PCM.

    `layout` is None until enough is there to know it. Every method may raise UnreadableError.
    """

    def __init__(self, raw: Layout) -> None:
        self.layout: Layout | None = None
        self._raw = raw
        self._held = b""
        self._left: int | None = None

    def feed(self, data: bytes) -> bytes:
        """Whole samples of what has come by now; the rest waits for more."""
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
        """A WAV file's sound is all here, whatever may follow it."""
        return self._left is not None and self._left < SAMPLE_BYTES

    def finish(self) -> None:
        """No more will come: complain if that is too early."""
        if self.layout is None:
            raise UnreadableError("The input ends before its sound begins.")

    def _recognise(self) -> bool:
        if len(self._held) < 12:
            return False
        if self._held.startswith(_CONTAINERS) or self._held[4:8] == b"ftyp":
            raise UnreadableError(f"Standard input takes WAV or raw PCM. {_CONVERT}")
        if self._held[:4] == b"RIFF" and self._held[8:12] == b"WAVE":
            found = wav_layout(self._held)
            if found is None:
                return False
            self.layout, begin = found
        else:
            self.layout, begin = self._raw, 0
        self._held, self._left = self._held[begin:], self.layout.data_bytes
        return True


def wav_layout(head: bytes) -> tuple[Layout, int] | None:
    """What a WAV file's head says, and where its sound begins; None while the head is not whole.

    Raises UnreadableError for samples of another kind than 16 bit PCM.
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


def _format_chunk(chunk: bytes) -> Layout:
    if len(chunk) < 16:
        raise UnreadableError("The WAV file is damaged.")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        (kind,) = struct.unpack_from("<H", chunk, 24)
    if kind != _PCM or bits != 16 or not channels:
        raise UnreadableError(f"The WAV file holds something other than 16 bit PCM. {_CONVERT}")
    return Layout(rate, channels)


@contextlib.asynccontextmanager
async def open_sound(
    source: str, *, sample_rate: int | None = None, channels: int = 1
) -> AsyncIterator[Sound]:
    """The sound of a file, or of standard input if `source` is `-`; entered when it begins.

    `sample_rate` and `channels` say how raw PCM is laid out; a file is converted to that rate.
    Without one WAV keeps its own, and anything else comes at 16000 Hz. Raises UnreadableError.
    """
    with contextlib.ExitStack() as stack:
        if source == STANDARD_INPUT:
            yield await _standard_input(sample_rate, channels)
            return
        try:
            descriptor = os.open(source, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            head = os.pread(descriptor, _READ_BYTES, 0)
        except OSError as error:
            raise UnreadableError(f"{source} cannot be read: {error.strerror}.") from None
        layout = _readable_layout(head, sample_rate)
        if layout is None:
            yield _decode(source, sample_rate or DECODED_RATE, stack)
        else:
            yield await _read(descriptor, layout)


def _readable_layout(head: bytes, sample_rate: int | None) -> Layout | None:
    """How a file is laid out that can be sent as it is."""
    if not head.startswith(b"RIFF"):
        return None
    try:
        found = wav_layout(head)
    except UnreadableError:
        return None
    if found is None or found[0].sample_rate not in _RATES:
        return None
    return found[0] if sample_rate in (None, found[0].sample_rate) else None


async def _standard_input(sample_rate: int | None, channels: int) -> Sound:
    if os.isatty(0):
        raise UnreadableError("Standard input is a terminal: pipe sound into it.")
    sound = await _read(0, Layout(sample_rate or DECODED_RATE, channels))
    if sound.sample_rate not in _RATES:
        raise UnreadableError(f"The service does not take {sound.sample_rate} Hz. {_CONVERT}")
    if sample_rate not in (None, sound.sample_rate):
        raise UnreadableError(
            f"Standard input is WAV of {sound.sample_rate} Hz: leave --sample-rate out."
        )
    return sound


async def _read(descriptor: int, raw: Layout) -> Sound:
    """Sound that is read as it arrives, from its first samples on."""
    reader = PcmReader(raw)
    arriving = _arriving(descriptor)
    first = b""
    async for data in arriving:
        if first := reader.feed(data):
            break
    reader.finish()
    assert reader.layout is not None
    if not first:
        raise UnreadableError("The input holds no sound.")

    async def pieces() -> AsyncIterator[bytes]:
        yield first
        while not reader.complete and (data := await anext(arriving, b"")):
            yield reader.feed(data)

    size = reader.layout.data_bytes
    bytes_per_second = reader.layout.frame_bytes * reader.layout.sample_rate
    return Sound(reader.layout.sample_rate, pieces(), size and size / bytes_per_second)


async def _arriving(descriptor: int) -> AsyncIterator[bytes]:
    """Whatever there is to read, as soon as it is there, without a thread that nobody can stop."""
    while True:
        await _readable(descriptor)
        try:
            data = os.read(descriptor, _READ_BYTES)
        except OSError as error:
            raise UnreadableError(f"The input cannot be read: {error.strerror}.") from None
        if not data:
            return
        yield data


async def _readable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:  # a file on disk, which is always ready
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def _decode(path: str, sample_rate: int, stack: contextlib.ExitStack) -> Sound:
    """Any file of which FFmpeg's libraries know the format."""
    try:
        import av
    except ImportError:
        raise UnreadableError(
            f"{path} is not WAV of 16 bit PCM, and other files need PyAV: pip install av"
        ) from None
    try:
        container = stack.enter_context(av.open(path, metadata_errors="ignore"))
    except (av.FFmpegError, ValueError) as error:
        raise UnreadableError(f"{path} is no sound file that can be decoded.") from error
    if not container.streams.audio:
        raise UnreadableError(f"{path} holds no sound.")
    stream = container.streams.audio[0]
    resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate)

    def frames() -> Iterator[av.AudioFrame | None]:
        for packet in container.demux(stream):
            # Players pass over damaged packets as well.
            with contextlib.suppress(av.error.InvalidDataError):
                yield from packet.decode()
        yield None  # the resampler's rest

    async def pieces() -> AsyncIterator[bytes]:
        heard = False
        try:
            for frame in frames():
                heard = heard or frame is not None
                for piece in resampler.resample(frame) if heard else ():
                    yield piece.to_ndarray().tobytes()
        except av.FFmpegError as error:
            raise UnreadableError(f"{path} cannot be decoded to its end.") from error
        if not heard:
            raise UnreadableError(f"{path} holds no sound that can be decoded.")

    seconds = container.duration and container.duration / av.time_base
    return Sound(sample_rate, pieces(), seconds)
