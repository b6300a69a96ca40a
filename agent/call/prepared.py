"""Sentences that were spoken beforehand: they can be said with every provider down.

`sounds/` holds each as a text and as a recording of it; replace both to have another voice or
language.
"""

import functools
from collections.abc import AsyncIterator
from contextlib import aclosing
from enum import StrEnum
from pathlib import Path

from livekit import rtc
from livekit.agents.utils.codecs import AudioStreamDecoder

SOUNDS = Path(__file__).parent / "sounds"
SAMPLE_RATE = 24_000


class Sentence(StrEnum):
    """What can be said; the value is the name of its files."""

    APOLOGY = "apology"
    CUT_OFF = "cut_off"
    ALL_BUSY = "all_busy"
    ONE_MOMENT = "one_moment"
    PUT_THROUGH = "put_through"

    @property
    def text(self) -> str:
        """The words, for transcripts."""
        return _read(self.file("txt")).decode().strip()

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """The sound: mono, 24 kHz. It is decoded once in a process."""
        if self not in _decoded:
            _decoded[self] = await _decode(_read(self.file("ogg")))
        for data in _decoded[self]:
            yield rtc.AudioFrame(data, SAMPLE_RATE, 1, len(data) // 2)

    def file(self, kind: str) -> Path:
        """Where its text (txt) or its sound (ogg) is."""
        return SOUNDS / f"{self.value}.{kind}"


def read_sentences() -> None:
    """Read them all, before any is needed: the files may be gone by then. Raises OSError."""
    for sentence in Sentence:
        _read(sentence.file("txt"))
        _read(sentence.file("ogg"))


_decoded: dict[Sentence, list[bytes]] = {}


async def _decode(file: bytes) -> list[bytes]:
    async with aclosing(AudioStreamDecoder(sample_rate=SAMPLE_RATE, num_channels=1)) as decoder:
        decoder.push(file)
        decoder.end_input()
        return [bytes(frame.data) async for frame in decoder]


@functools.cache
def _read(file: Path) -> bytes:
    return file.read_bytes()
