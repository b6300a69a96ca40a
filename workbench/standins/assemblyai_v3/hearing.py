"""What a recognizer tells: the open turn as it stands at one instant of session audio."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Word:
    """One word; times are milliseconds of session audio."""

    text: str
    start_ms: int
    end_ms: int
    is_final: bool = False
    confidence: float = 0.98
    speaker: str | None = None

    def finished(self) -> "Word":
        """The same word, not to change any more."""
        return replace(self, is_final=True)


@dataclass(frozen=True, slots=True)
class Hearing:
    """The open turn at `now_ms`; without words nothing was said since the last turn."""

    now_ms: int
    words: tuple[Word, ...] = ()
    onset_ms: int = 0
    silence_ms: int = 0
    """Since the last voice; 0 while there is voice."""
    is_settled: bool = True
    """Whether the words cover all that was said: never in the middle of a word."""
    end_of_turn_confidence: float = 0.0
    formatted_words: tuple[Word, ...] = ()
    """The same words as they will be written when the turn has ended."""
    voice_probability: float = 0.0


class Recognizer(Protocol):
    """Turns audio into hearings. Everything follows the audio clock; nothing waits."""

    def listen(self, audio: bytes, duration_ms: float, *, is_late: bool) -> Iterator[Hearing]:
        """Move the clock on by this audio, telling what is known at each small step.

        When more audio is waiting than should be, `is_late`, only what must be done is done.
        """
        ...

    def conclude(self) -> Hearing:
        """What is known now, with every word settled, in the middle of speech if need be."""
        ...

    def close_turn(self) -> None:
        """Forget the open turn; may be called between two hearings of one `listen`."""
        ...

    def adapt(self, *, vad_threshold: float, min_turn_silence_ms: int) -> None:
        """What the client wants from now on."""
        ...
