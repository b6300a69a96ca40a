"""Audio input: a file or standard input as PCM for a stream, 16 bit, mono.

This module reads WAV and raw PCM itself, so that a pipe is heard while it is still being written.
PyAV, which LiveKit uses too, decodes all other files.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from stt_assemblyai.cli.wav import CONVERT, Layout, PcmReader, UnreadableError, wav_layout
from stt_assemblyai.service import HIGHEST_SAMPLE_RATE, LOWEST_SAMPLE_RATE

__all__ = ["AudioInput", "UnreadableError", "open_input"]

STANDARD_INPUT = "-"
DECODED_RATE = 16_000
_RATES = range(LOWEST_SAMPLE_RATE, HIGHEST_SAMPLE_RATE + 1)
_READ_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class AudioInput:
    """`pieces` yields audio as it can be read, and raises UnreadableError if it is damaged."""

    sample_rate: int
    pieces: AsyncIterator[bytes]
    seconds: float | None = None


@contextlib.asynccontextmanager
async def open_input(
    source: str, *, sample_rate: int | None = None, channels: int = 1
) -> AsyncIterator[AudioInput]:
    """The sound of a file, or of standard input if `source` is `-`; entered when it begins.

    `sample_rate` and `channels` are the layout of raw PCM; a file is converted to that rate. By
    default WAV keeps its rate and anything else gets 16000 Hz. Raises UnreadableError.
    """
    with contextlib.ExitStack() as stack:
        if source == STANDARD_INPUT:
            yield await _standard_input(sample_rate, channels)
            return
        try:
            descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK)
            stack.callback(os.close, descriptor)
            is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)  # <(a command), /dev/stdin
            head = b"" if is_pipe else os.pread(descriptor, _READ_BYTES, 0)
        except OSError as error:
            raise UnreadableError(f"{source} cannot be read: {error.strerror}.") from None
        if is_pipe:
            yield await _pipe(descriptor, sample_rate, channels)
            return
        layout = _readable_layout(head, sample_rate)
        if layout is None:
            yield _decode(source, sample_rate or DECODED_RATE, stack)
        else:
            yield await _read(descriptor, layout)


def _readable_layout(head: bytes, sample_rate: int | None) -> Layout | None:
    """The layout of a file that can be sent as it is; None for one that has to be decoded."""
    if not head.startswith(b"RIFF"):
        return None
    try:
        found = wav_layout(head)
    except UnreadableError:
        return None
    if found is None or found[0].sample_rate not in _RATES:
        return None
    return found[0] if sample_rate in (None, found[0].sample_rate) else None


async def _standard_input(sample_rate: int | None, channels: int) -> AudioInput:
    if sys.stdin is None:
        raise UnreadableError("Standard input is closed: pipe sound into it.")
    if os.isatty(0):
        raise UnreadableError("Standard input is a terminal: pipe sound into it.")
    return await _pipe(0, sample_rate, channels)


async def _pipe(descriptor: int, sample_rate: int | None, channels: int) -> AudioInput:
    sound = await _read(descriptor, Layout(sample_rate or DECODED_RATE, channels))
    if sound.sample_rate not in _RATES:
        raise UnreadableError(f"The service does not take {sound.sample_rate} Hz. {CONVERT}")
    if sample_rate not in (None, sound.sample_rate):
        raise UnreadableError(
            f"Standard input is WAV of {sound.sample_rate} Hz: leave --sample-rate out."
        )
    return sound


async def _read(descriptor: int, raw: Layout) -> AudioInput:
    """The sound, read as it arrives; returns once its first samples are here."""
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
    return AudioInput(reader.layout.sample_rate, pieces(), size and size / bytes_per_second)


async def _arriving(descriptor: int) -> AsyncIterator[bytes]:
    """Yield data as soon as it can be read, without a thread, which nothing could stop."""
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
    except PermissionError:  # a file on disk is always ready
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def _decode(  # noqa: C901  two generators stand in it
    path: str, sample_rate: int, stack: contextlib.ExitStack
) -> AudioInput:
    """Decode any file in a format that FFmpeg's libraries know."""
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
            # Skip damaged packets, as players do.
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
    return AudioInput(sample_rate, pieces(), seconds)
