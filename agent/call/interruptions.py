"""What words mean that a caller says while the agent speaks: go on, wait and see, or stop."""

import difflib
from collections.abc import Iterable
from enum import Enum, auto

from config.phrases import Phrases, Words, words_of

# Fewer of the agent's own words may as well be the caller's choice from what it offers.
ECHO_WORDS = 3
# From so many words on, one in four may be misheard in an echo.
LONG_ECHO_WORDS = 5
HEARD_RIGHT = 0.75
# How fast a voice may read, in letters a second, and how far behind and ahead of that it may be.
SLOWEST, FASTEST = 8, 25
LATE_SECONDS = 3.0
AHEAD_LETTERS = 15


class Verdict(Enum):
    """What the words of an utterance are, as far as they are known."""

    ECHO = auto()
    """The agent's own words, heard back."""
    ACKNOWLEDGEMENT = auto()
    """The caller listens."""
    UNDECIDED = auto()
    """The next word tells: `got` may become `got it`."""
    DOUBTFUL = auto()
    """One word that may still be misheard: the agent had better pause."""
    INTERRUPTION = auto()
    """The caller wants the word."""


def judge(heard: Words, phrases: Phrases, said: Words, *, complete: bool) -> Verdict:
    """Judge the words of an utterance that began while the agent spoke.

    `said` is what the agent may have said within earshot of them. `complete` when no word will
    be added or changed.
    """
    if not heard:
        return Verdict.UNDECIDED
    rest = without_acknowledgements(heard, phrases.acknowledgements)
    if not rest:
        return Verdict.ACKNOWLEDGEMENT
    own = len(heard) >= ECHO_WORDS
    if any(_stands_in(rest, each) for each in phrases.interjections) and not (
        own and is_echo(heard, said)
    ):
        return Verdict.INTERRUPTION
    if is_echo(heard, said) and (own or not complete):
        return Verdict.ECHO if own else Verdict.UNDECIDED
    if complete:
        return Verdict.INTERRUPTION
    if _may_become_any(rest, phrases.acknowledgements):
        return Verdict.UNDECIDED
    return Verdict.DOUBTFUL if len(rest) == 1 else Verdict.INTERRUPTION


def is_echo(heard: Words, said: Words) -> bool:
    """Whether these words were said, in this order, but for some that were misheard."""
    if len(heard) < LONG_ECHO_WORDS:
        return _stands_in(said, heard)
    pieces = difflib.SequenceMatcher(None, heard, said, autojunk=False).get_matching_blocks()
    return sum(piece.size for piece in pieces) >= HEARD_RIGHT * len(heard)


def within_earshot(text: str, seconds: float) -> Words:
    """What of a text a voice may have read within the last few seconds, `seconds` after it began.

    Where it is cut, half a word may be left at either end.
    """
    begin = max(0, round((seconds - LATE_SECONDS) * SLOWEST))
    end = round(max(0, seconds) * FASTEST) + AHEAD_LETTERS
    return words_of(text[begin:end])


def without_acknowledgements(heard: Words, acknowledgements: frozenset[Words]) -> Words:
    """What is left when acknowledgements are taken off both ends, the longest first."""
    rest = heard
    while size := max(
        (len(each) for each in acknowledgements if rest[: len(each)] == each), default=0
    ):
        rest = rest[size:]
    while size := max(
        (len(each) for each in acknowledgements if rest[-len(each) :] == each), default=0
    ):
        rest = rest[:-size]
    return rest


def asks_for_dictation(text: str, phrases: Phrases) -> bool:
    """Whether the agent asks for a number, an address or a spelling."""
    words = words_of(text)
    return any(_stands_in(words, each) for each in phrases.dictation)


def _stands_in(words: Words, phrase: Words) -> bool:
    size = len(phrase)
    return any(words[at : at + size] == phrase for at in range(len(words) - size + 1))


def _may_become_any(words: Words, phrases: Iterable[Words]) -> bool:
    """Whether a phrase begins so; the last word may be cut."""
    *whole, last = words
    return any(
        list(each[: len(whole)]) == whole and each[len(whole)].startswith(last)
        for each in phrases
        if len(each) >= len(words)
    )
