"""The scripted recognizer: words decided beforehand appear on the audio clock, exactly."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from workbench.standins.assemblyai_v3.hearing import Hearing, Word

STEP_MS = 10
AUDIBLE_AFTER_MS = 80


@dataclass(frozen=True, slots=True)
class ScriptedWord:
    """A word on the audio clock, and how likely the turn is over once it was said."""

    text: str
    start_ms: int
    end_ms: int
    end_of_turn_confidence: float = 0.9
    draft: str | None = None
    """How U3 models spell it as long as it is the newest word of an open turn."""
    speaker: str | None = None
    written: str | None = None
    """How the formatted twin writes it, if otherwise; "" is for a word that the one before it
    stands for, as in "$25"."""


class ScriptedRecognizer:
    """Ignores what the audio contains; only its length counts."""

    def __init__(
        self,
        script: Sequence[ScriptedWord],
        *,
        has_drafts: bool = False,
        has_speakers: bool = False,
    ) -> None:
        self._learn(script)
        self._has_drafts = has_drafts
        self._has_speakers = has_speakers
        self._first = 0
        self._audio_ms = 0.0
        self._now_ms = 0

    def listen(
        self, audio: bytes, duration_ms: float, *, is_late: bool = False
    ) -> Iterator[Hearing]:
        """One hearing for every 10 ms of audio."""
        self._audio_ms += duration_ms
        while self._now_ms + STEP_MS <= self._audio_ms:
            self._now_ms += STEP_MS
            yield self._hearing()

    def conclude(self) -> Hearing:
        """Words that have become audible are finished; what was not yet said is not heard."""
        hearing = self._hearing()
        words = tuple(word.finished() for word in hearing.words)
        return replace(hearing, words=words, is_settled=True)

    def close_turn(self) -> None:
        """Go on behind the words that were audible."""
        self._first = self._first_inaudible

    def adapt(self, *, vad_threshold: float, min_turn_silence_ms: int) -> None:
        """Thresholds mean nothing to a script."""

    def _learn(self, script: Sequence[ScriptedWord]) -> None:
        self._script = sorted(script, key=lambda word: word.start_ms)
        self._starts = [word.start_ms for word in self._script]
        self._ends = list(accumulate((word.end_ms for word in self._script), max))

    @property
    def _first_inaudible(self) -> int:
        return bisect_right(self._starts, self._now_ms - AUDIBLE_AFTER_MS)

    @property
    def _silence_ms(self) -> int:
        """Somebody speaks from a word's start to its end, also before it has become audible."""
        begun = bisect_left(self._starts, self._now_ms)
        return max(0, self._now_ms - self._ends[begun - 1]) if begun else self._now_ms

    def _hearing(self) -> Hearing:
        audible = self._script[self._first : self._first_inaudible]
        silence_ms = self._silence_ms
        probability = 0.02 if silence_ms else 0.98
        if not audible:
            return Hearing(self._now_ms, voice_probability=probability)
        words = tuple(self._word(word) for word in audible)
        draft = audible[-1].draft if self._has_drafts else None
        newest = words[-1] if draft is None else replace(words[-1], text=draft)
        return Hearing(
            self._now_ms,
            (*words[:-1], newest),
            onset_ms=words[0].start_ms,
            silence_ms=silence_ms,
            is_settled=newest.is_final,
            end_of_turn_confidence=audible[-1].end_of_turn_confidence,
            formatted_words=tuple(_written(audible, words)),
            voice_probability=probability,
        )

    def _word(self, word: ScriptedWord) -> Word:
        return Word(
            word.text,
            word.start_ms,
            word.end_ms,
            is_final=word.end_ms <= self._now_ms,
            speaker=word.speaker if self._has_speakers else None,
        )


def _written(script: Sequence[ScriptedWord], words: Sequence[Word]) -> Iterator[Word]:
    for scripted, word in zip(script, words, strict=True):
        if scripted.written is None:
            yield word
        elif scripted.written:
            yield replace(word, text=scripted.written)
