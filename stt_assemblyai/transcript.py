"""A turn as words on the stream's clock, and how a message of the service becomes one."""

from __future__ import annotations

import itertools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stt_assemblyai.audio import AudioClock
    from stt_assemblyai.messages import Turn, Word

__all__ = [
    "SpokenWord",
    "SpokenWords",
    "Transcript",
    "TurnEnd",
    "heard_words",
    "known",
    "read",
    "shared",
]

_USUAL_WORD_MS = 400


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word on the stream's audio clock, in milliseconds since its first sample."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float
    final: bool
    speaker: str | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole turn, as far as it is known. Unknown language or speaker is None."""

    session_id: str
    turn_order: int
    text: str
    words: tuple[SpokenWord, ...]
    formatted: bool = False
    end_of_turn_confidence: float = 0.0
    language: str | None = None
    language_confidence: float | None = None
    speaker: str | None = None

    @property
    def start_ms(self) -> int:
        return self.words[0].start_ms if self.words else 0

    @property
    def end_ms(self) -> int:
        return self.words[-1].end_ms if self.words else 0

    @property
    def confidence(self) -> float:
        """The mean of the words' confidences, 0 to 1."""
        return sum(w.confidence for w in self.words) / len(self.words) if self.words else 0.0


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """Why a turn ended, and when that was decided: a monotonic time in seconds, as the stream's.

    `confidence`: the service was sure. `silence`: it waited as long as it may. `forced`: it was
    asked to. `watchdog`: it did not do so when asked. `reconnect`: its session ended, and the next
    one found no more of the turn. None: the next turn began, or the stream ended.
    """

    reason: Literal["confidence", "silence", "forced", "watchdog", "reconnect"] | None = None
    decided_at: float | None = None


class SpokenWords:
    """Puts the words of one message after the other on the stream's clock; those that are the same
    objects as before stay where they are."""

    def __init__(self) -> None:
        self._words: tuple[Word, ...] = ()
        self._spoken: tuple[SpokenWord, ...] = ()
        self._clock: AudioClock | None = None

    def of(self, words: tuple[Word, ...], clock: AudioClock) -> tuple[SpokenWord, ...]:
        """These words on the stream's clock. Words without text are left out."""
        count = shared(self._words, words) if clock is self._clock else 0
        spoken = self._spoken[:count] + tuple(
            _spoken(word, clock) for word in words[count:] if word.text.strip()
        )
        is_whole = len(spoken) == len(words)
        self._words, self._spoken, self._clock = words if is_whole else (), spoken, clock
        self._words = self._words[: self._settled(clock)]
        return spoken

    def _settled(self, clock: AudioClock) -> int:
        """How many words lie where audio has been sent: the clock does not change there."""
        count = len(self._words)
        while count and self._words[count - 1].end >= clock.session_ms:
            count -= 1
        return count


def shared(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items at the beginning are the very same objects."""
    same = list(map(operator.is_, one, other))
    return same.index(False) if False in same else len(same)


def _spoken(word: Word, clock: AudioClock) -> SpokenWord:
    start_ms = clock.to_stream(word.start)
    end_ms = max(start_ms, clock.to_stream(word.end))
    speaker = known(word.speaker)
    return SpokenWord(word.text, start_ms, end_ms, word.confidence, word.word_is_final, speaker)


def heard_words(
    turn: Turn,
    heard: tuple[SpokenWord, ...],
    clock: AudioClock,
    same_turn: Transcript | None,
    from_ms: int,
) -> tuple[SpokenWord, ...]:
    """The words `heard` in a message, but a text without words gets words made from it.

    They lie where the words of `same_turn` do if there are as many; else evenly between its start
    (or `from_ms`) and the newest audio.
    """
    if heard or not (texts := turn.transcript.split()):
        return heard
    is_same = same_turn is not None and same_turn.turn_order == turn.turn_order
    if same_turn is not None and is_same and len(same_turn.words) == len(texts):
        places = [(word.start_ms, word.end_ms) for word in same_turn.words]
    else:
        places = _places(
            len(texts),
            same_turn.start_ms if same_turn is not None and is_same else from_ms,
            clock.to_stream(clock.session_ms),
        )
    return tuple(
        SpokenWord(text, start_ms, end_ms, 0.0, turn.end_of_turn, known(turn.speaker_label))
        for text, (start_ms, end_ms) in zip(texts, places, strict=True)
    )


def _places(count: int, from_ms: int, newest_ms: int) -> list[tuple[int, int]]:
    until_ms = max(from_ms, newest_ms)
    start_ms = max(from_ms, until_ms - _USUAL_WORD_MS * count)
    edges = [round(start_ms + (until_ms - start_ms) * n / count) for n in range(count + 1)]
    return list(itertools.pairwise(edges))


def read(
    turn: Turn, heard: tuple[SpokenWord, ...], words: tuple[SpokenWord, ...], session_id: str
) -> Transcript:
    """A message as a transcript. `words` are what remains of the words `heard` after joining."""
    untouched = words == heard
    return Transcript(
        session_id=session_id,
        turn_order=turn.turn_order,
        text=_whole_text(turn, heard) if untouched else " ".join(word.text for word in words),
        words=words,
        formatted=turn.turn_is_formatted,
        end_of_turn_confidence=turn.end_of_turn_confidence,
        language=turn.language_code,
        language_confidence=turn.language_confidence,
        speaker=known(turn.speaker_label),
    )


def known(speaker: str | None) -> str | None:
    """The speaker; None for PENDING and UNKNOWN, which are not speakers (section 7.3)."""
    return None if speaker in ("PENDING", "UNKNOWN") else speaker


def _whole_text(turn: Turn, heard: tuple[SpokenWord, ...]) -> str:
    """The whole turn's text: on the US models `transcript` lacks words that are not final yet."""
    transcript = turn.transcript.strip()
    open_words = [word.text for word in heard if not word.final]
    if transcript and (not open_words or len(open_words) == len(heard)):
        return transcript
    if not transcript:
        return " ".join(word.text for word in heard)
    return " ".join([transcript, *open_words])
