"""Reads a turn's messages at the price of what is new in them.

Each message repeats all words of its turn, some ten times a second. Final words come in the same
letters again: what was read of them before is used again. Whatever else a message holds, it is read
as if it were the first.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from stt_assemblyai.messages import Turn, Unknown, decode, decode_exactly

if TYPE_CHECKING:
    from stt_assemblyai.messages import ServerMessage, Word

__all__ = ["TurnReader"]

_LIST = re.compile(r'"words"\s*:\s*\[\s*')  # in a text the second quote would be escaped
_COMMA = re.compile(r"\s*,\s*")
_WORDS_AT_ONCE = 8
_item = json.JSONDecoder().raw_decode


class TurnReader:
    """Reads one session's frames, in order."""

    def __init__(self) -> None:
        self._known = ""  # how the list of words begins, up to a comma behind the last of `_words`
        self._words: tuple[Word, ...] = ()

    def read(self, text: str | bytes, faults: list[Unknown]) -> ServerMessage:
        """Like `decode`. Words that are known are the same objects as in the message before."""
        found = _LIST.search(text) if isinstance(text, str) else None
        if found is None or not isinstance(text, str):
            return decode(text, faults)
        begin = found.end()
        turn = self._continued(text, begin)
        if turn is None:
            self._known, self._words = "", ()
            message = decode(text, faults)
            if faults or not isinstance(message, Turn):
                return message
            turn = message
        self._remember(turn, text, begin)
        return turn

    def _continued(self, text: str, begin: int) -> Turn | None:
        """The turn, if its words begin with the known ones."""
        behind = begin + len(self._known)
        if not self._known or not text.startswith(self._known, begin) or _LIST.search(text, behind):
            return None
        rest = decode_exactly(text[:begin] + text[behind:])
        if not isinstance(rest, Turn):
            return None
        return rest.model_copy(update={"words": self._words + rest.words})

    def _remember(self, turn: Turn, text: str, begin: int) -> None:
        """Final words at the beginning are known from now on, but for the last one."""
        count = 0
        for word in turn.words[len(self._words) : -1]:
            if not (word.word_is_final and word.text.strip()):
                break
            count += 1
        if count < _WORDS_AT_ONCE:
            return
        end = begin + len(self._known)
        for _ in range(count):
            _, end = _item(text, end)
            comma = _COMMA.match(text, end)
            assert comma is not None  # another word follows
            end = comma.end()
        self._known, self._words = text[begin:end], turn.words[: len(self._words) + count]
