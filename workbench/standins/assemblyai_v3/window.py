"""A stretch of speech that is decoded in one pass, and what has become of it so far."""

from dataclasses import dataclass, field, replace

import numpy as np

from workbench.standins.assemblyai_v3.agreement import agreed, continuation
from workbench.standins.assemblyai_v3.hearing import Word
from workbench.standins.assemblyai_v3.messages import plain
from workbench.standins.assemblyai_v3.sound import Samples
from workbench.standins.numerals import spoken

FRAME_MS = 32
LONGEST_AMOUNT = 6


@dataclass(slots=True)
class Window:
    """Frames of 32 ms, at which session times somebody spoke in them, and the words."""

    frames: list[Samples] = field(default_factory=list)
    voiced_at_ms: list[int] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    """The newest transcript; its spelling may change with the next."""
    told: list[Word] = field(default_factory=list)
    """The words of which a client was told that they are final."""
    decoded_ms: int = 0
    is_settled: bool = False
    """Whether the transcript covers all the frames."""

    @property
    def length_ms(self) -> int:
        """Of the sound."""
        return len(self.frames) * FRAME_MS

    @property
    def voiced_ms(self) -> int:
        """Of the speech in it."""
        return len(self.voiced_at_ms) * FRAME_MS

    @property
    def sound(self) -> Samples:
        """All frames in a row."""
        return np.concatenate(self.frames)

    def rewrite(self, text: str) -> None:
        """A fresh transcript of all the frames: final are words that two transcripts agree on."""
        before = [word.text for word in self.words]
        texts = [each for each in text.split() if plain(each)]
        self.words = timed(texts, self.voiced_at_ms)
        self.decoded_ms = self.length_ms
        self._tell(agreed(before, texts))

    def settle(self, text: str) -> None:
        """The transcript to stay with: every word is final."""
        self.rewrite(text)
        self._tell(len(self.words))
        self.is_settled = True

    @property
    def unfinished(self) -> list[Word]:
        """The word after those that were told, as it stands."""
        start = self._untold
        return [] if self.is_settled else self.words[start : start + 1]

    @property
    def _untold(self) -> int:
        return continuation([word.text for word in self.told], [word.text for word in self.words])

    def _tell(self, sure: int) -> None:
        for word in self.words[self._untold : sure]:
            start_ms = max(word.start_ms, self.told[-1].end_ms if self.told else 0)
            end_ms = max(word.end_ms, start_ms)
            self.told.append(replace(word, start_ms=start_ms, end_ms=end_ms, is_final=True))


def timed(texts: list[str], voiced_at_ms: list[int]) -> list[Word]:
    """Give each word its share of the frames in which somebody spoke, by its length."""
    total = sum(len(text) for text in texts)
    words = []
    begun = 0
    for text in texts:
        first = begun * len(voiced_at_ms) // total
        begun += len(text)
        last = max(first, begun * len(voiced_at_ms) // total - 1)
        words.append(Word(text, voiced_at_ms[first], voiced_at_ms[last] + FRAME_MS))
    return words


def as_spoken(word: Word) -> list[Word]:
    """The word as US models write it: a number in words, one after the other."""
    texts = _spoken_number(plain(word.text))
    if not texts:
        return [word]
    step_ms = (word.end_ms - word.start_ms) / len(texts)
    return [
        replace(
            word,
            text=each,
            start_ms=int(word.start_ms + index * step_ms),
            end_ms=int(word.start_ms + (index + 1) * step_ms),
        )
        for index, each in enumerate(texts)
    ]


def _spoken_number(text: str) -> list[str]:
    """42 is forty two, 1,200 is one thousand two hundred, and 555-1234 is said digit by digit."""
    amount = text.replace(",", "")
    if amount.isdecimal() and len(amount) <= LONGEST_AMOUNT:
        return spoken(int(amount)).replace("-", " ").split()
    digits = text.replace("-", "")
    return [spoken(int(digit)) for digit in digits] if digits.isdecimal() else []
