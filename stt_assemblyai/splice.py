"""The splice of two sessions: which words are new after audio was replayed to a new session.

The replay starts at the edge of a known word. So the new session repeats some words, with slightly
different times and perhaps with a fragment in front. The splice is the last known word, found by
its text near its time; if it is not found, the time alone decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stt_assemblyai.events import SpokenWord

__all__ = ["NO_SEAM", "Seam", "bare", "replay_from"]

_OVERLAP_MS = 1500  # enough for a word or two to be recognised again, with their sound around them
_GUARD_MS = 250
_EDGE_MS = 100  # two sessions may differ by this much: a word that begins here may have been cut
_APART_MS = 150  # how far apart two sessions may place what is left of a word
_TOLERANCE_MS = 500  # how far apart two sessions may place the same word


class Seam:
    """The splice between the words `said` before and a session that hears from `from_ms` on.

    Where two sessions heard the same audio, `known_until_ms` says up to where `said` is complete.
    """

    def __init__(
        self, said: Sequence[SpokenWord], from_ms: float, known_until_ms: float = 0
    ) -> None:
        apart_ms = _APART_MS if known_until_ms else 0
        heard_again = [word for word in said if word.end_ms > from_ms - apart_ms]
        self._last = heard_again[-1] if heard_again else None
        edge_ms = from_ms and from_ms + _EDGE_MS  # nothing is cut where the stream begins
        self._known_until_ms = known_until_ms
        self._cut = self._last is not None and self._last.start_ms < edge_ms

    def fresh(self, words: tuple[SpokenWord, ...]) -> tuple[SpokenWord, ...]:
        """The words that were not said before the seam."""
        if self._last is None:
            return words
        anchor = self._anchor(self._last, words)
        if anchor is not None:
            return words[anchor + 1 :]
        end_ms = self._last.end_ms
        if self._cut:
            until_ms = max(end_ms, min(end_ms + _APART_MS, self._known_until_ms))
        else:
            until_ms = (_middle(self._last) + end_ms) / 2
        return tuple(word for word in words if _middle(word) > until_ms)

    def reached(self, words: tuple[SpokenWord, ...]) -> bool:
        """Whether these words reach as far as those said before."""
        if self._last is None or not words:
            return self._last is None
        anchor = self._anchor(self._last, words)
        return anchor is not None or _middle(words[-1]) > _middle(self._last)

    def _anchor(self, last: SpokenWord, words: tuple[SpokenWord, ...]) -> int | None:
        def distance(index: int) -> float:
            return abs(_middle(words[index]) - _middle(last))

        if self._cut:  # the rest of a cut word has another text
            return None
        same = [i for i, word in enumerate(words) if bare(word.text) == bare(last.text)]
        nearest = min(same, key=distance, default=None)
        return nearest if nearest is not None and distance(nearest) <= _TOLERANCE_MS else None


NO_SEAM = Seam((), 0)


def replay_from(settled: Sequence[SpokenWord]) -> float:
    """Where in the stream a new session has to start: at the edge of a word shortly before the end
    of the settled words, or at the beginning if there are none."""
    if not settled:
        return 0.0
    overlap = settled[-1].start_ms - _OVERLAP_MS
    first = next(word for word in settled if word.start_ms >= overlap)
    return max(0.0, first.start_ms - _GUARD_MS)


def bare(word: str) -> str:
    """A word without case and punctuation."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def _middle(word: SpokenWord) -> float:
    return (word.start_ms + word.end_ms) / 2
