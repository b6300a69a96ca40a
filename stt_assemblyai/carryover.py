"""Turn resumption: each word is reported once, and a turn outlives its session.

A session may get audio that an earlier one has heard, and repeat those words. And the service may
go on with a turn that was ended by force. In both cases a seam says where the new words begin.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stt_assemblyai.splice import NO_SEAM, Seam, replay_from
from stt_assemblyai.transcript import joined, settled

if TYPE_CHECKING:
    from stt_assemblyai.events import SpokenWord

__all__ = ["Carryover"]

_NEVER = 2**60
_CUT_MS = 300  # a word that ends this near to the end of the heard audio may be half a word
_REMEMBERED_WORDS = 32  # more than a session ever repeats


class Carryover:
    """The words of ended turns, and of one that was open when its session broke off."""

    def __init__(self) -> None:
        self._said: tuple[SpokenWord, ...] = ()  # the newest words of ended turns
        self.open: tuple[SpokenWord, ...] = ()
        self._taken_up = False
        self._seam = NO_SEAM
        self._seam_order = _NEVER  # the turn in which this session reached new words

    @property
    def awaited(self) -> bool:
        """Whether a turn was open that the session has not reached yet."""
        return bool(self.open) and not self._taken_up

    @property
    def said_until_ms(self) -> int:
        """Where the last word of an ended turn ended."""
        return self._said[-1].end_ms if self._said else 0

    @property
    def replay_from_ms(self) -> float:
        """Where a new session has to start if no turn is open."""
        return replay_from(self._said)

    def end_turn(self, words: tuple[SpokenWord, ...]) -> None:
        """These words have been reported for good."""
        self._said = (*self._said, *words)[-_REMEMBERED_WORDS:]
        self.drop_open()

    def drop_open(self) -> None:
        """Forget the turn that was open."""
        self.open = ()

    def begin_session(
        self, words: tuple[SpokenWord, ...], from_ms: float, until_ms: float = _NEVER
    ) -> None:
        """A session starts at `from_ms`, while a turn with these words is open.

        The session before it heard the stream until `until_ms`: words that may have been cut off
        there are left to the new one.
        """
        overlaps = until_ms < _NEVER
        whole_from_ms, whole_until_ms = from_ms + _CUT_MS / 2, until_ms - _CUT_MS
        self.open = tuple(
            replace(w, final=w.final and (w.end_ms <= whole_until_ms or w.start_ms < whole_from_ms))
            for w in settled(words)
        )
        self._taken_up = False
        kept = tuple(word for word in self.open if word.final)
        known_until_ms = whole_from_ms if self.open else from_ms + _CUT_MS
        self._seam = Seam((*self._said, *kept), from_ms, known_until_ms if overlaps else 0)
        self._seam_order = _NEVER

    def cut(self, order: int) -> None:
        """The turn with this number was ended before the service ended it."""
        self._seam, self._seam_order = Seam(self._said, 0), order

    def come_to(self, order: int) -> None:
        """The session is now at the turn with this number."""
        if order > self._seam_order:
            self._seam = NO_SEAM  # nothing said before can be repeated any more

    def join(
        self, heard: tuple[SpokenWord, ...], order: int, *, is_end: bool
    ) -> tuple[SpokenWord, ...]:
        """A turn's words as they are to be reported."""
        words = joined(heard, self.open, self._seam, is_end=is_end)
        if is_end and self._seam.reached(heard):
            self._seam_order = order
        return words

    def take_up(self, heard: tuple[SpokenWord, ...]) -> bool:
        """Whether a message with these words is about the turn that was open."""
        if any(word.final for word in self.open):
            self._taken_up = self._seam.reached(heard)
        else:
            self._taken_up = bool(self._seam.fresh(heard))
        return self._taken_up
