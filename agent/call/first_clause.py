"""What is spoken first: a reply's first clause, while the rest of it is still being thought.

LiveKit cuts a reply into sentences, each of which it holds back until the next one has begun. So a
caller would wait for a sentence and a word, though half a sentence can be spoken already.
"""

import re
import unicodedata
from collections.abc import Iterator

from livekit.agents.tokenize import blingfire

LONGEST_FIRST = 120
"""Letters of a first piece: a text without any marks is spoken as soon as it has so many."""

LONGEST = 500
"""Characters of each later piece. Providers take 4096 characters or bytes."""

SHORTEST_SENTENCE = 20
"""Characters. A shorter one is spoken together with the next; so does LiveKit."""

_QUOTES = "\"'\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}»"
# Full-width, Devanagari, Arabic and Urdu, Armenian, Ethiopic, Burmese, Khmer, Tibetan. No number
# or name goes on behind these.
_ENDS = "\uff01\uff1f\u3002\uff61।॥\u061f\u06d4\u0589\u1362\u1367\u1368\u104b\u17d4\u17d5\u0f0d"
_PAUSES = "\uff0c\uff1b\uff1a\u3001\uff64\u060c\u061b\u055d\u1363\u1364\u1365\u1366\u104a\u17d6"
# Thai, Lao, Burmese and Khmer put a blank between phrases, not between words.
_PHRASED = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"
# An ASCII mark ends a clause only once it is clear that no number or name goes on behind it.
_CLAUSE_END = re.compile(
    rf"[,;:.!?…—][)\]{_QUOTES}]*(?=\s)|[{_ENDS}{_PAUSES}\n]|(?<=[{_PHRASED}])(?=\s)"
)
_SENTENCE_END = re.compile(rf"[{_ENDS}\n]|[.!?…][)\]{_QUOTES}]*(?=\s+\S)")
_ABBREVIATION = re.compile(r"(?:\b[A-Z]\w{0,3}|\b\w+\.\w+)\.$")  # Dr. and a.m.
_LONGEST_ABBREVIATION = 24
_IDEOGRAPH_LETTERS = 3  # one says as much as that many letters
_STRIDE = 500


class Pieces:
    """Cuts one text that comes bit by bit; nothing is lost, added or changed in it.

    The first piece is a clause of at least `least_chars` characters, since it has to last until
    the second can be heard. Sentences follow. Where no mark comes in time, a piece ends at a blank
    or, in a word without end, anywhere. The work grows with the text, not with its square.
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
        """The pieces that are complete with this."""
        found = []
        for start in range(0, len(text), _STRIDE):
            self._held += text[start : start + _STRIDE]
            while end := self._end():
                found.append(self._held[:end])
                self._hold(self._held[end:])
                self._has_begun = True
        return found

    def flush(self) -> list[str]:
        """The rest: no more will come."""
        rest = self._held
        self._hold("")
        self._has_begun = False
        return [rest] if rest else []

    def _hold(self, text: str) -> None:
        self._held = text
        self._clauses_seen = 0  # up to where it has been looked for their ends
        self._sentences_seen = 0
        self._sentences_asked = 0  # the tokenizer, which takes its time
        self._letters = 0  # of the clauses seen

    def _end(self) -> int | None:
        """Where the first piece of what is held ends, if that can be said."""
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
    """The best place to break a text within so many characters: a mark, a blank, or anywhere
    but in the middle of a character."""
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
    """How many characters of a text have no more than so many letters."""
    for index, weight in enumerate(_weights(text)):
        letters -= weight
        if letters < 0:
            return index
    return len(text)


def _weights(text: str) -> Iterator[int]:
    return (_IDEOGRAPH_LETTERS if "\u3040" <= letter <= "\u9fff" else 1 for letter in text)
