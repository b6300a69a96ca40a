"""A file of sound plays, whole or broken off, with each voice on its own side."""

import errno
import io
import os
from pathlib import Path

import av
import numpy as np
import pytest

from agent.call.recording.opus_file import PAGE_SECONDS, RATE, Descriptor, OpusFile

PACKET_SECONDS = 0.04


class Bytes(io.BytesIO):
    """Keeps what it got when it is closed."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # bytes alone are written
        return super().write(data)


def tone(seconds: float, hertz: float = 440) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(
        np.int16
    )


def played(data: bytes) -> np.ndarray:
    """Both channels, -1 to 1, at 48 kHz."""
    with av.open(io.BytesIO(data)) as container:
        return np.concatenate([each.to_ndarray() for each in container.decode(audio=0)], axis=1)


def test_each_voice_is_on_its_side() -> None:
    sink = Bytes()
    file = OpusFile(sink)
    silence = np.zeros(RATE, np.int16)
    file.write(tone(1), silence)
    file.write(silence, tone(1))
    file.close()
    left, right = played(sink.getvalue())
    assert left.size / 48_000 == pytest.approx(2, abs=PACKET_SECONDS)
    first, second = slice(5_000, 43_000), slice(53_000, 91_000)
    for loud, soft in ((left[first], right[first]), (right[second], left[second])):
        assert np.sqrt(np.mean(loud**2)) > 0.1
        assert np.sqrt(np.mean(soft**2)) < 0.01


def test_a_file_whose_writer_died_plays_up_to_its_last_page() -> None:
    sink = Bytes()
    file = OpusFile(sink)
    for _ in range(10):
        file.write(tone(0.5), tone(0.5))
    left, _ = played(sink.getvalue())  # and was never closed
    assert 5 - left.size / 48_000 <= 2 * PAGE_SECONDS + PACKET_SECONDS
    torn, _ = played(sink.getvalue()[:-700])
    assert 5 - torn.size / 48_000 <= 3 * PAGE_SECONDS


def test_a_full_disk_is_told() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    file = OpusFile(Descriptor(descriptor))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        file.write(tone(2), tone(2))
    os.close(descriptor)


def test_a_file_is_closed_once(tmp_path: Path) -> None:
    path = tmp_path / "sound"
    sink = Descriptor(os.open(path, os.O_WRONLY | os.O_CREAT))
    assert sink.write(b"abc") == 3
    sink.close()
    sink.close()
    assert path.read_bytes() == b"abc"
    with pytest.raises(OSError, match="Bad file descriptor"):
        sink.write(b"d")


def test_no_sound_is_no_packet() -> None:
    sink = Bytes()
    OpusFile(sink).write(tone(0), tone(0))
    assert sink.getvalue() == b""
