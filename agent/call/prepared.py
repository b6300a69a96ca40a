"""Sentences that were spoken beforehand: they can be said with every provider down.

`sounds/` holds each as a text and as a recording of it; replace both to have another voice or
language.
"""

from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path

from livekit import rtc
from livekit.agents.utils.audio import audio_frames_from_file

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
        return self.file("txt").read_text(encoding="utf-8").strip()

    def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """The sound: mono, 24 kHz."""
        return audio_frames_from_file(str(self.file("ogg")), sample_rate=SAMPLE_RATE)

    def file(self, kind: str) -> Path:
        """Where its text (txt) or its sound (ogg) is."""
        return SOUNDS / f"{self.value}.{kind}"
