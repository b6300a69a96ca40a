"""Cuts a reply so that its first clause is spoken while the model still writes the rest.

LiveKit cuts a reply into sentences and holds each one back until the next has begun. So a caller
would wait for a sentence and a word, although half a sentence can be spoken already.
"""

import re
import unicodedata
from collections.abc import Iterator

from livekit.agents.tokenize import blingfire

LONGEST_FIRST = 120
"""Letters of a first piece at most: a text without marks is cut here."""

LONGEST = 500
"""Characters of each later piece. Providers take 4096 characters or bytes."""

SHORTEST_SENTENCE = 20
"""Characters. A shorter one is spoken together with the next, as LiveKit does too."""

_QUOTES = "\"'\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}»"
# Full-width, Devanagari, Arabic and Urdu, Armenian, Ethiopic, Burmese, Khmer, Tibetan. These never
# stand inside a number or a name.
_ENDS = "\uff01\uff1f\u3002\uff61।॥\u061f\u06d4\u0589\u1362\u1367\u1368\u104b\u17d4\u17d5\u0f0d"
_PAUSES = "\uff0c\uff1b\uff1a\u3001\uff64\u060c\u061b\u055d\u1363\u1364\u1365\u1366\u104a\u17d6"
# Thai, Lao, Burmese and Khmer put a blank between phrases, not between words.
_PHRASED = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"
# An ASCII mark may stand inside a number or a name, so it ends a clause only before a blank.
_CLAUSE_END = re.compile(
    rf"[,;:.!?…—][)\]{_QUOTES}]*(?=\s)|[{_ENDS}{_PAUSES}\n]|(?<=[{_PHRASED}])(?=\s)"
)
_SENTENCE_END = re.compile(rf"[{_ENDS}\n]|[.!?…][)\]{_QUOTES}]*(?=\s+\S)")
_ABBREVIATION = re.compile(r"(?:\b[A-Z]\w{0,3}|\b\w+\.\w+)\.$")  # Dr. and a.m.
_LONGEST_ABBREVIATION = 24
_IDEOGRAPH_LETTERS = 3  # an ideograph counts as this many letters
_STRIDE = 500


class Pieces:
    """Cuts one text that arrives in bits. The pieces together are exactly that text.

    The first piece is a clause of at least `least_chars` characters, since it has to last until
    the second can be heard. Sentences follow. If no mark comes in time, a piece ends at a blank or,
    in an endless word, anywhere. The work is linear in the length of the text.
    """

    def __init__(self, least_chars: int) -> None:
        self._least_chars = least_chars
        self._longest_first = min(max(LONGEST_FIRST, least_chars), LONGEST)
        self._sentences = blingfire.SentenceTokenizer(
            min_sentence_len=SHORTEST_SENTENCE, retain_format=True
        )
        self._has_begun = False
        self._hold("")

    def push(self, text: str) -> list[str]:
        """Add text. Returns the pieces that are now complete."""
        found = []
        for start in range(0, len(text), _STRIDE):
            self._held += text[start : start + _STRIDE]
            while end := self._end():
                found.append(self._held[:end])
                self._hold(self._held[end:])
                self._has_begun = True
        return found

    def flush(self) -> list[str]:
        """The text has ended. Returns the rest."""
        rest = self._held
        self._hold("")
        self._has_begun = False
        return [rest] if rest else []

    def _hold(self, text: str) -> None:
        self._held = text
        self._clauses_seen = 0  # how far the text has been searched for clauses
        self._sentences_seen = 0
        self._sentences_asked = 0  # up to where the tokenizer has been asked: it is slow
        self._letters = 0  # in the clauses seen

    def _end(self) -> int | None:
        """Where the first piece of the held text ends; None if that is not known yet."""
        if not self._has_begun:
            end = self._clause_end() or self._sentence_end()
            fitting = _fitting(self._held, self._longest_first)
        else:
            end = self._sentence_end()
            fitting = LONGEST
        if end is None or end > LONGEST:
            return _last_break(self._held, fitting) if len(self._held) > fitting else None
        return end

    def _clause_end(self) -> int | None:
        for mark in _CLAUSE_END.finditer(self._held, self._clauses_seen):
            end = mark.end()
            self._letters += _letters(self._held[self._clauses_seen : end])
            self._clauses_seen = end
            tail = self._held[max(0, end - _LONGEST_ABBREVIATION) : end]
            if self._letters >= self._least_chars and not _ABBREVIATION.search(tail):
                return end
        return None

    def _sentence_end(self) -> int | None:
        for mark in _SENTENCE_END.finditer(self._held, self._sentences_seen):
            self._sentences_seen = end = mark.end()
            if mark.group() in "\n" + _ENDS:
                if _letters(self._held[:end].strip()) >= SHORTEST_SENTENCE:
                    return end
            elif end - self._sentences_asked >= SHORTEST_SENTENCE:
                self._sentences_asked = end
                if len(found := self._sentences.tokenize(self._held)) > 1:
                    return len(found[0])
        return None


def _last_break(text: str, longest: int) -> int:
    """The best place to break a text within `longest` characters: a mark, else a blank, else any
    place but before a combining mark."""
    if marks := [mark.end() for mark in _CLAUSE_END.finditer(text, longest // 2, longest)]:
        return marks[-1]
    blank = max(text.rfind(blank, 1, longest) for blank in " \n\t")
    if blank > 0:
        return blank
    end = longest
    while end > longest // 2 and unicodedata.category(text[end]).startswith("M"):
        end -= 1
    return end


def _letters(text: str) -> int:
    return sum(_weights(text))


def _fitting(text: str, letters: int) -> int:
    """How many characters of a text fit into this many letters."""
    for index, weight in enumerate(_weights(text)):
        letters -= weight
        if letters < 0:
            return index
    return len(text)


def _weights(text: str) -> Iterator[int]:
    return (_IDEOGRAPH_LETTERS if "\u3040" <= letter <= "\u9fff" else 1 for letter in text)
