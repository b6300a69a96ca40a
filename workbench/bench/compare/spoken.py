"""Speech that can be counted: each sample holds the number of the word that is being said.

So a stand-in hears exactly what a client really sent it, however much of it was cut off, replayed
or sent twice, and no word can be understood that did not arrive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.standins.assemblyai_v3.hearing import Hearing, Recognizer, Word
from workbench.standins.assemblyai_v3.parameters import Parameters
from workbench.standins.assemblyai_v3.server import AssemblyAIStandIn

_STEP_MS = 20
_AUDIBLE_AFTER_MS = 80
_ENOUGH = 0.6  # of a word has to arrive for it to be understood
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word on the caller's clock. `draft` is how U3 models spell it while it is the newest."""

    text: str
    start_ms: int
    end_ms: int
    draft: str | None = None
    speaker: str | None = None


Speech = tuple[SpokenWord, ...]


def say(  # noqa: PLR0913  each has a default
    text: str,
    *,
    start_ms: int = 300,
    word_ms: int = 250,
    gap_ms: int = 50,
    pause_ms: int = 1200,
    drafts: bool = False,
    speaker: str | None = None,
) -> Speech:
    """The words of a text; a full stop is followed by a pause, a comma by half of one."""
    at_ms, words = start_ms, []
    for word in text.split():
        draft = f"{word.rstrip('.,')}-" if drafts else None
        words.append(SpokenWord(word, at_ms, at_ms + word_ms, draft, speaker))
        pause = {".": pause_ms, "?": pause_ms, ",": pause_ms // 2}.get(word[-1], gap_ms)
        at_ms += word_ms + pause
    return tuple(words)


def sentences(seconds: float, *, words_each: int = 8) -> str:
    """Talk of about this length, at about 130 words a minute, in which no word comes twice."""
    count = round(seconds / (words_each * 0.3 + 1.15)) * words_each
    return " ".join(_invented(n) + ("." if n % words_each == words_each - 1 else "")
                    for n in range(count))  # fmt: skip


def _invented(number: int) -> str:
    syllables = [c + v for c in _CONSONANTS for v in _VOWELS]
    return syllables[number // len(syllables)] + syllables[number % len(syllables)] + "n"


def pcm(speech: Speech, *, from_ms: int, until_ms: int, sample_rate: int) -> bytes:
    """The caller's audio of this time: 16 bit, mono."""
    first = from_ms * sample_rate // 1000
    samples = np.zeros(until_ms * sample_rate // 1000 - first, "<i2")
    for number, word in enumerate(speech, 1):
        if word.start_ms < until_ms and word.end_ms > from_ms:
            start, end = (ms * sample_rate // 1000 - first for ms in (word.start_ms, word.end_ms))
            samples[max(0, start) : max(0, end)] = number
    return samples.tobytes()


@dataclass(slots=True)
class _Heard:
    number: int
    start_ms: int
    end_ms: int
    heard_ms: float = 0.0


class CountingRecognizer:
    """Understands the words of a speech by their numbers, as soon as enough of each has come."""

    def __init__(self, speech: Speech, sample_rate: int, *, drafts: bool, speakers: bool) -> None:
        self._speech = speech
        self._drafts = drafts
        self._speakers = speakers
        self._samples_per_ms = sample_rate / 1000
        self._step_bytes = sample_rate * _STEP_MS // 1000 * 2
        self._rest = b""
        self._now_ms = 0
        self._words: list[_Heard] = []

    def listen(
        self, audio: bytes, duration_ms: float, *, is_late: bool = False
    ) -> Iterator[Hearing]:
        """One hearing for every 20 ms of audio."""
        audio = self._rest + audio
        steps = len(audio) // self._step_bytes
        for step in range(steps):
            self._hear(audio[step * self._step_bytes : (step + 1) * self._step_bytes])
            self._now_ms += _STEP_MS
            yield self._hearing(settled=False)
        self._rest = audio[steps * self._step_bytes :]

    def conclude(self) -> Hearing:
        """What has become audible, settled."""
        return self._hearing(settled=True)

    def close_turn(self) -> None:
        """The words so far are said; one that goes on is not heard again."""
        self._words = []

    def adapt(self, *, vad_threshold: float, min_turn_silence_ms: int) -> None:
        """Counting has no thresholds."""

    def _hear(self, step: bytes) -> None:
        """A word is longer than a step, so a step holds two numbers at most."""
        samples = np.frombuffer(step, "<i2")
        first, last = int(samples[0]), int(samples[-1])
        if first == last:
            self._add(first, _STEP_MS)
        else:
            of_last = int((samples == last).sum()) / self._samples_per_ms
            self._add(first, _STEP_MS - of_last)
            self._add(last, of_last)

    def _add(self, number: int, duration_ms: float) -> None:
        if not number:
            return
        end_ms = self._now_ms + _STEP_MS
        newest = self._words[-1] if self._words else None
        if newest is None or newest.number != number or newest.end_ms < self._now_ms:
            self._words.append(_Heard(number, self._now_ms, end_ms))
        self._words[-1].heard_ms += duration_ms
        self._words[-1].end_ms = end_ms

    def _hearing(self, *, settled: bool) -> Hearing:
        silence_ms = self._now_ms - self._words[-1].end_ms if self._words else self._now_ms
        words = [w for word in self._words if (w := self._word(word, settled=settled))]
        probability = 0.02 if silence_ms else 0.98
        if not words:
            return Hearing(self._now_ms, voice_probability=probability)
        newest = self._speech[self._words[-1].number - 1]
        written = list(words)
        if self._drafts and newest.draft and not words[-1].is_final:
            written[-1] = replace(words[-1], text=newest.draft)
        return Hearing(
            self._now_ms,
            tuple(written),
            onset_ms=words[0].start_ms,
            silence_ms=silence_ms,
            is_settled=words[-1].is_final,
            end_of_turn_confidence=0.9 if words[-1].text[-1] in ".?" else 0.1,
            formatted_words=tuple(words),
            voice_probability=probability,
        )

    def _word(self, heard: _Heard, *, settled: bool) -> Word | None:
        word = self._speech[heard.number - 1]
        is_over = heard.end_ms < self._now_ms or heard is not self._words[-1]
        needed_ms = (word.end_ms - word.start_ms) * _ENOUGH if is_over else _AUDIBLE_AFTER_MS
        if heard.heard_ms < needed_ms:
            return None
        return Word(
            word.text,
            heard.start_ms,
            heard.end_ms,
            is_final=is_over or settled,
            speaker=word.speaker if self._speakers else None,
        )


class CountingStandIn(AssemblyAIStandIn):
    """The stand-in, with an ear for one speech; all its sessions hear what they are sent of it."""

    speech: Speech = ()

    def _recognizer(self, parameters: Parameters) -> Recognizer:
        return CountingRecognizer(
            self.speech,
            parameters.sample_rate,
            drafts=parameters.is_rewriting,
            speakers=parameters.speaker_labels,
        )


def bare(text: str) -> list[str]:
    """A text's words without case and punctuation."""
    return [word.strip(".,?-").lower() for word in text.split()]


def count(said: Speech, understood: Sequence[str]) -> tuple[int, int]:
    """How many of the words said were understood, and how many were understood too often."""
    known = {bare(word.text)[0] for word in said}
    heard = [word for text in understood for word in bare(text)]
    once = known & set(heard)
    return len(once), sum(word in known for word in heard) - len(once)
