"""Resumes a turn on another session: where the words of two sessions join.

A new session may hear audio again that an earlier one has heard. It then repeats some words, with
slightly different times and perhaps with a fragment in front. And the service may go on with a turn
that was ended by force. In both cases a `Splice` says which words are new, so that each word is
reported once and a turn outlives its session.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stt_assemblyai.text import same_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stt_assemblyai.transcript import SpokenWord

__all__ = [
    "NO_SPLICE",
    "ResumePoint",
    "Resumption",
    "Splice",
    "merged",
    "replay_from",
    "settled",
]

_OVERLAP_MS = 1500  # enough for a word or two to be recognised again, with their sound around them
_GUARD_MS = 250
_EDGE_MS = 100  # two sessions may differ by this much: a word that begins here may have been cut
_APART_MS = 150  # how far apart two sessions may place what is left of a word
_TOLERANCE_MS = 500  # how far apart two sessions may place the same word
_CUT_MS = 300  # a word that ends this near to the end of the heard audio may be half a word
_REWRITTEN_MS = 5000  # words are rewritten at most this long after they were said
_REMEMBERED_WORDS = 32  # more than a session ever repeats
_NO_ORDER = 2**60


class Splice:
    """The splice of the words `said` before and those of a session that hears from `from_ms` on.

    It lies behind the last word that both know. That word is found by its text near its time; if it
    is not found, the time alone decides. Where two sessions heard the same audio, `known_until_ms`
    says up to where `said` is complete.
    """

    def __init__(
        self, said: Sequence[SpokenWord], from_ms: float, known_until_ms: float = 0
    ) -> None:
        apart_ms = _APART_MS if known_until_ms else 0
        heard_again = [word for word in said if word.end_ms > from_ms - apart_ms]
        self._last = heard_again[-1] if heard_again else None
        self._earlier = [  # said before it, in the same words
            word
            for word in heard_again[:-1]
            if self._last is not None and same_words(word.text, self._last.text)
        ]
        edge_ms = from_ms and from_ms + _EDGE_MS  # nothing is cut where the stream begins
        self._known_until_ms = known_until_ms
        self._cut = self._last is not None and self._last.start_ms < edge_ms

    def fresh(self, words: tuple[SpokenWord, ...]) -> tuple[SpokenWord, ...]:
        """The words that were not said before the splice."""
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
        """The index of the word that is `last` again."""

        def distance(index: int) -> float:
            return abs(_middle(words[index]) - _middle(last))

        if self._cut:  # the rest of a cut word has another text
            return None
        same = [i for i, word in enumerate(words) if same_words(word.text, last.text)]
        nearest = min(same, key=distance, default=None)
        if nearest is None or distance(nearest) > _TOLERANCE_MS:
            return None
        if len(same) <= len(self._earlier):  # a word said twice may have been heard once so far
            middle = _middle(words[nearest])
            if any(abs(middle - _middle(word)) < distance(nearest) for word in self._earlier):
                return None
        return nearest


NO_SPLICE = Splice((), 0)


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where a session takes the stream over, and what is known by then.

    It hears the stream from `from_ms` on. `said` holds the newest words of ended turns, `open`
    those of a turn that is open. The session before it heard the stream until `heard_until_ms`; if
    that is infinite, the two have not heard the same audio.
    """

    from_ms: float = 0.0
    said: tuple[SpokenWord, ...] = ()
    open: tuple[SpokenWord, ...] = ()
    heard_until_ms: float = math.inf

    @property
    def said_until_ms(self) -> int:
        """Where the last word of an ended turn ended."""
        return self.said[-1].end_ms if self.said else 0

    @property
    def replay_from_ms(self) -> float:
        """Where another session would have to start if no turn is open."""
        return replay_from(self.said)

    @property
    def splice(self) -> Splice:
        """Where this session's words join those that are known."""
        known = (*self.said, *(word for word in self.open if word.final))
        if self.heard_until_ms == math.inf:
            return Splice(known, self.from_ms)
        return Splice(known, self.from_ms, self.from_ms + (_CUT_MS / 2 if self.open else _CUT_MS))

    def with_open(self, words: tuple[SpokenWord, ...]) -> ResumePoint:
        """The same point in a turn with these words. Words that may have been cut off where the
        session before it stopped are not final: this session says them."""
        whole_from_ms = self.from_ms + _CUT_MS / 2
        whole_until_ms = self.heard_until_ms - _CUT_MS

        def is_whole(word: SpokenWord) -> bool:
            return word.end_ms <= whole_until_ms or word.start_ms < whole_from_ms

        kept = (replace(word, final=word.final and is_whole(word)) for word in settled(words))
        return replace(self, open=tuple(kept))


class Resumption:
    """What is known of a stream's words from one session to the next. `point` is where the present
    session took over, with all that was said since."""

    def __init__(self) -> None:
        self.point = ResumePoint()
        self._taken_up = False
        self._splice = NO_SPLICE
        self._splice_order = _NO_ORDER  # the turn in which this session reached new words

    @property
    def awaited(self) -> bool:
        """Whether a turn was open that the session has not reached yet."""
        return bool(self.point.open) and not self._taken_up

    def end_turn(self, words: tuple[SpokenWord, ...]) -> None:
        """These words have been reported for good."""
        said = (*self.point.said, *words)[-_REMEMBERED_WORDS:]
        self.point = replace(self.point, said=said, open=())

    def drop_open(self) -> None:
        """Forget the turn that was open."""
        self.point = replace(self.point, open=())

    def begin_session(
        self, words: tuple[SpokenWord, ...], from_ms: float, until_ms: float = math.inf
    ) -> None:
        """A session starts at `from_ms`, while a turn with these words is open; the session before
        it heard the stream until `until_ms`."""
        point = ResumePoint(from_ms, self.point.said, heard_until_ms=until_ms)
        self.point = point.with_open(words)
        self._taken_up = False
        self._splice, self._splice_order = self.point.splice, _NO_ORDER

    def cut(self, order: int) -> None:
        """The turn with this number was ended before the service ended it."""
        self._splice, self._splice_order = Splice(self.point.said, 0), order

    def come_to(self, order: int) -> None:
        """The session is now at the turn with this number."""
        if order > self._splice_order:
            self._splice = NO_SPLICE  # nothing said before can be repeated any more

    def join(
        self, heard: tuple[SpokenWord, ...], order: int, *, is_end: bool
    ) -> tuple[SpokenWord, ...]:
        """A turn's words as they are to be reported."""
        words = merged(heard, self.point.open, self._splice, is_end=is_end)
        if is_end and self._splice.reached(heard):
            self._splice_order = order
        return words

    def take_up(self, heard: tuple[SpokenWord, ...]) -> bool:
        """Whether a message with these words is about the turn that was open."""
        if any(word.final for word in self.point.open):
            self._taken_up = self._splice.reached(heard)
        else:
            self._taken_up = bool(self._splice.fresh(heard))
        return self._taken_up


def merged(
    heard: tuple[SpokenWord, ...],
    known: tuple[SpokenWord, ...],
    splice: Splice,
    *,
    is_end: bool,
) -> tuple[SpokenWord, ...]:
    """The open turn's words: those known for good before the splice, and those heard after it.

    While the turn is open, the words that the new session has yet to reach follow: text never goes
    backwards.
    """
    fresh = splice.fresh(heard)
    if not known:
        return fresh
    before = tuple(word for word in known if word.final)
    if is_end:
        return before + fresh
    reached_ms = heard[-1].end_ms if heard else 0
    ahead = tuple(w for w in known if not w.final and w.end_ms > reached_ms)
    if fresh and ahead and ahead[0].start_ms < reached_ms:
        fresh = fresh[:-1]  # the beginning of a word that is known as a whole
    return before + fresh + ahead


def settled(words: tuple[SpokenWord, ...]) -> tuple[SpokenWord, ...]:
    """In a long turn, count older words as final, though the U3 family may rewrite them: a new
    session that heard all of it again, at little more than real time, would keep the caller
    waiting."""
    if not words or words[-1].end_ms - words[0].end_ms < _REWRITTEN_MS:
        return words
    until_ms = words[-1].end_ms - _REWRITTEN_MS
    return tuple(w if w.final or w.end_ms > until_ms else replace(w, final=True) for w in words)


def replay_from(words: Sequence[SpokenWord]) -> float:
    """Where in the stream a session has to start that is to know these settled words again: at the
    edge of a word shortly before their end, or at the beginning if there are none."""
    if not words:
        return 0.0
    overlap = words[-1].start_ms - _OVERLAP_MS
    first = next(word for word in words if word.start_ms >= overlap)
    return max(0.0, first.start_ms - _GUARD_MS)


def _middle(word: SpokenWord) -> float:
    return (word.start_ms + word.end_ms) / 2
