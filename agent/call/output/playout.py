"""What the agent says, and when each word was heard: the first sound is measured, and the rest is
estimated from how fast voices read."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.phrases import Words, words_of

# How fast a voice reads, in letters a second.
SLOWEST, FASTEST = 11, 19
# From this letter on (kana, Chinese, Korean) each one takes as long as this many Latin letters.
WIDE, WIDE_LETTERS = "\u3040", 3
# How long after a word the agent has "just" said it.
JUST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word that the agent said, with the earliest and the latest time of its start and its end.

    Times are seconds on the event loop's clock; infinite for a word that has not been heard.
    """

    text: str
    earliest_start: float
    latest_start: float
    earliest_end: float
    latest_end: float


@dataclass(frozen=True, slots=True)
class _Word:
    """A word's place in the text, in letters."""

    text: str
    start: float
    end: float


class Playout:
    """The text that the agent is saying in one call, and how far it has come.

    Times are seconds on the event loop's clock.
    """

    def __init__(self) -> None:
        self.ended_at = float("-inf")
        self.first_sound_at = float("inf")
        """When the current text was first heard."""
        self._text = ""
        self._words: list[_Word] = []  # those in the first `_words_until` characters of the text
        self._words_until = 0
        self._runs: list[tuple[float, float]] = []  # start and end of each stretch of sound
        self._since: float | None = None

    def begin(self, now: float) -> None:
        """Another text follows."""
        self._text, self._runs = "", []
        self._words, self._words_until = [], 0
        self.first_sound_at = float("inf")
        if self._since is not None:
            self.sound(now)

    def add(self, text: str) -> None:
        """The text goes on."""
        self._text += text

    def sound(self, now: float) -> None:
        """The agent is heard."""
        self.first_sound_at = min(self.first_sound_at, now)
        self._since = now

    def fall_silent(self, now: float) -> None:
        """The agent has paused or ended."""
        if self._since is not None:
            self._runs.append((self._since, now))
            self._since, self.ended_at = None, now

    def said(self, now: float) -> Words:
        """The words that it may have said within the last JUST_SECONDS."""
        return tuple(
            word.text
            for word in self.spoken(now)
            if word.earliest_start <= now <= word.latest_end + JUST_SECONDS
        )

    def spoken(self, now: float) -> Sequence[SpokenWord]:
        """The words of the current text."""
        runs = self._runs if self._since is None else [*self._runs, (self._since, now)]
        if self._words_until < len(self._text):
            self._words, self._words_until = _words_in(self._text), len(self._text)
        return [
            SpokenWord(
                word.text,
                _sounded_at(word.start / FASTEST, runs),
                _sounded_at(word.start / SLOWEST, runs),
                _sounded_at(word.end / FASTEST, runs),
                _sounded_at(word.end / SLOWEST, runs),
            )
            for word in self._words
        ]


def _words_in(text: str) -> list[_Word]:
    found: list[_Word] = []
    at = 0.0
    for piece in text.split():
        letters = sum(WIDE_LETTERS if letter >= WIDE else 1 for letter in piece)
        words = words_of(piece)
        for index, word in enumerate(words):
            start = at + letters * index / len(words)
            found.append(_Word(word, start, start + letters / len(words)))
        at += letters + 1
    return found


def _sounded_at(played_seconds: float, runs: Sequence[tuple[float, float]]) -> float:
    """When this many seconds of sound had been played; the last run may go on."""
    left = played_seconds
    for start, end in runs[:-1]:
        if left < end - start:
            return start + left
        left -= end - start
    return runs[-1][0] + left if runs else float("inf")
