"""The scripted recognizer: words decided beforehand appear on the audio clock, exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workbench.loopback.assemblyai_v3.hearing import Hearing, Word

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
    """How U3 models spell it as long as it is the newest word."""
    speaker: str | None = None


class ScriptedRecognizer:
    """Ignores what the audio contains; only its length counts."""

    def __init__(self, script: Sequence[ScriptedWord], *, has_speakers: bool = False) -> None:
        self._has_speakers = has_speakers
        self._script = sorted(script, key=lambda word: word.start_ms)
        self._first = 0
        self._audio_ms = 0.0
        self._step = 0

    def listen(self, audio: bytes, duration_ms: float) -> Iterator[Hearing]:
        """One hearing for every 10 ms of audio."""
        self._audio_ms += duration_ms
        while (self._step + 1) * STEP_MS <= self._audio_ms:
            self._step += 1
            yield self._hearing(self._step * STEP_MS)

    def conclude(self) -> Hearing:
        """Words that have become audible are finished; what was not yet said is not heard."""
        hearing = self._hearing(int(self._audio_ms))
        words = tuple(word.finished() for word in hearing.words)
        return replace(hearing, words=words, is_settled=True)

    def close_turn(self) -> None:
        """Go on behind the words that were audible."""
        self._first += len(self._audible(self._step * STEP_MS))

    def adapt(self, *, vad_threshold: float, min_turn_silence_ms: int) -> None:
        """Thresholds mean nothing to a script."""

    def _audible(self, now_ms: int) -> list[ScriptedWord]:
        return [
            word
            for word in self._script[self._first :]
            if word.start_ms + AUDIBLE_AFTER_MS <= now_ms
        ]

    def _hearing(self, now_ms: int) -> Hearing:
        audible = self._audible(now_ms)
        if not audible:
            return Hearing(now_ms)
        newest = len(audible) - 1
        silence_ms = self._silence_ms(now_ms)
        words = tuple(
            Word(
                word.draft if word.draft is not None and index == newest else word.text,
                word.start_ms,
                word.end_ms,
                is_final=word.end_ms <= now_ms,
                speaker=word.speaker if self._has_speakers else None,
            )
            for index, word in enumerate(audible)
        )
        return Hearing(
            now_ms,
            words,
            onset_ms=audible[0].start_ms,
            silence_ms=silence_ms,
            is_settled=words[-1].is_final,
            end_of_turn_confidence=audible[-1].end_of_turn_confidence,
            voice_probability=0.02 if silence_ms else 0.98,
        )

    def _silence_ms(self, now_ms: int) -> int:
        """Somebody speaks from a word's start to its end, also before it has become audible."""
        begun = [word for word in self._script if word.start_ms < now_ms]
        return max(0, now_ms - max(word.end_ms for word in begun)) if begun else now_ms
