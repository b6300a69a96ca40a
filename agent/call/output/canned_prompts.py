"""Canned prompts: recorded sentences that the agent can say when every provider is down.

`sounds/` holds each as a text and as a recording, in a folder for each language. To have another
voice, replace both.
"""

import functools
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from livekit import rtc
from livekit.agents.utils.codecs import AudioStreamDecoder

from config.languages import LANGUAGES, Language

SOUNDS = Path(__file__).parents[1] / "sounds"
SAMPLE_RATE = 24_000


class CannedPrompt(StrEnum):
    """What a recorded prompt is for. The value is the name of its files."""

    APOLOGY = "apology"
    CUT_OFF = "cut_off"
    ALL_BUSY = "all_busy"
    ONE_MOMENT = "one_moment"
    PUT_THROUGH = "put_through"

    def recorded(self, language: Language = "en") -> "Recorded":
        """The prompt in this language."""
        return Recorded(self, language)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded prompt in one language."""

    prompt: CannedPrompt
    language: Language

    @property
    def text(self) -> str:
        """The words, for transcripts."""
        return _read(self.file("txt")).decode().strip()

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """The sound: mono, 24 kHz. Each process decodes it once."""
        if self not in _decoded:
            _decoded[self] = await _decode(_read(self.file("ogg")))
        for data in _decoded[self]:
            yield rtc.AudioFrame(data, SAMPLE_RATE, 1, len(data) // 2)

    def file(self, kind: str) -> Path:
        """The path of its text (txt) or its sound (ogg)."""
        return SOUNDS / self.language / f"{self.prompt.value}.{kind}"


def read_canned_prompts() -> None:
    """Read all files now: they may be gone when one is needed. Raises OSError."""
    for language in LANGUAGES:
        for prompt in CannedPrompt:
            _read(prompt.recorded(language).file("txt"))
            _read(prompt.recorded(language).file("ogg"))


_decoded: dict[Recorded, list[bytes]] = {}


async def _decode(file: bytes) -> list[bytes]:
    async with aclosing(AudioStreamDecoder(sample_rate=SAMPLE_RATE, num_channels=1)) as decoder:
        decoder.push(file)
        decoder.end_input()
        return [bytes(frame.data) async for frame in decoder]


@functools.cache
def _read(file: Path) -> bytes:
    return file.read_bytes()
