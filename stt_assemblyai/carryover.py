"""What was heard before: so that each word is told once, and a turn outlives its session.

A session may be sent audio that an earlier one has heard, and say those words again; and a turn
that was ended by force may be told on. Both times what is new begins at a seam.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stt_assemblyai.reading import joined, settled
from stt_assemblyai.seam import NO_SEAM, Seam, replay_from

if TYPE_CHECKING:
    from stt_assemblyai.speech import SpokenWord

__all__ = ["Carryover"]

_NEVER = 2**60
_CUT_MS = 300  # a word that ends so near to the end of what was heard may be half a word
_REMEMBERED_WORDS = 32  # more than are ever heard again


class Carryover:
    """The words of ended turns, and of one that was open when its session broke off."""

    def __init__(self) -> None:
        self._said: tuple[SpokenWord, ...] = ()  # the newest words of ended turns
        self.open: tuple[SpokenWord, ...] = ()
        self._taken_up = False
        self._seam = NO_SEAM
        self._seam_order = _NEVER  # the turn in which this session came to what is new

    @property
    def awaited(self) -> bool:
        """A turn was open, and the session has not come to it yet."""
        return bool(self.open) and not self._taken_up

    @property
    def said_until_ms(self) -> int:
        """Where the last word of an ended turn ended."""
        return self._said[-1].end_ms if self._said else 0

    @property
    def replay_from_ms(self) -> float:
        """From where a session that hears ended turns alone has to hear."""
        return replay_from(self._said)

    def end_turn(self, words: tuple[SpokenWord, ...]) -> None:
        """These words have been told for good."""
        self._said = (*self._said, *words)[-_REMEMBERED_WORDS:]
        self.drop_open()

    def drop_open(self) -> None:
        """Nothing is left of the turn that was open."""
        self.open = ()

    def begin_session(
        self, words: tuple[SpokenWord, ...], from_ms: float, until_ms: float = _NEVER
    ) -> None:
        """A session begins to hear from here on; these words of a turn are open. Who said them
        heard until `until_ms`: those that may have been cut short there are left to the new one."""
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
        """The turn with this number was ended before the service did so."""
        self._seam, self._seam_order = Seam(self._said, 0), order

    def come_to(self, order: int) -> None:
        """The session is at the turn with this number."""
        if order > self._seam_order:
            self._seam = NO_SEAM  # all that was said before is behind us

    def join(
        self, heard: tuple[SpokenWord, ...], order: int, *, is_end: bool
    ) -> tuple[SpokenWord, ...]:
        """A turn's words as they are to be told."""
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
