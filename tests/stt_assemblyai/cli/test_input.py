"""Sound as the program reads it: from files, in whatever format, and from pipes."""

import os
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from stt_assemblyai.cli.input import UnreadableError, open_input

SAMPLES = struct.pack("<800h", *([1000, -1000] * 400))


def wav(path: Path, *, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(SAMPLES)
    return path


async def read(source: str | Path, **options: int) -> tuple[int, bytes, float | None]:
    async with open_input(str(source), **options) as sound:
        return sound.sample_rate, b"".join([each async for each in sound.pieces]), sound.seconds


async def test_a_wav_file_keeps_its_rate(tmp_path: Path) -> None:
    assert await read(wav(tmp_path / "a.wav", rate=8000)) == (8000, SAMPLES, 0.1)


async def test_channels_become_one(tmp_path: Path) -> None:
    rate, pcm, seconds = await read(wav(tmp_path / "a.wav", channels=2))
    assert (rate, pcm, seconds) == (16_000, bytes(len(SAMPLES) // 2), 0.025)


@pytest.mark.parametrize("rate", [16_000, 4_000])
async def test_any_other_file_is_decoded_at_the_rate_asked_for(tmp_path: Path, rate: int) -> None:
    """4000 Hz are fewer than the service takes."""
    found, pcm, _ = await read(wav(tmp_path / "a.wav", rate=rate), sample_rate=8000)
    assert found == 8000
    assert len(pcm) == pytest.approx(len(SAMPLES) * 8000 / rate, rel=0.1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no sound at all", "is no sound file that can be decoded"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "is no sound file"),
        (b"", "is no sound file"),
    ],
)
async def test_a_file_that_is_no_sound_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(UnreadableError, match=said):
        await read(tmp_path / "a.mp3")


async def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cannot be read: No such file"):
        await read(tmp_path / "a.wav")


async def test_a_wav_file_without_sound_is_said(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    with pytest.raises(UnreadableError, match="holds no sound"):
        await read(tmp_path / "a.wav")


@pytest.fixture
def pipe() -> Iterator[str]:
    """The name of a pipe with samples in it, whose writer has gone."""
    reading, writing = os.pipe()
    os.write(writing, SAMPLES)
    os.close(writing)
    yield f"/dev/fd/{reading}"
    os.close(reading)


async def test_a_pipe_is_raw_samples_of_the_rate_that_is_given(pipe: str) -> None:
    assert await read(pipe, sample_rate=8000) == (8000, SAMPLES, None)


async def test_a_rate_that_the_service_does_not_take_is_said(pipe: str) -> None:
    with pytest.raises(UnreadableError, match="does not take 4000 Hz"):
        await read(pipe, sample_rate=4000)
