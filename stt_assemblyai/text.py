"""The one rule for "the same words": case and punctuation make no difference.

`config.phrases.words_of` is no second one: it splits a text of any script into words to count them
and to find phrases. This rule has to be LiveKit's.
"""

from __future__ import annotations

import string
import unicodedata

__all__ = ["same_words"]

_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)  # of ASCII, with its symbols


def same_words(one: str, other: str) -> bool:
    """Whether two texts differ only in case and punctuation. By exactly this rule LiveKit keeps a
    reply to one text as the reply to the other."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> list[str]:
    letters = text.casefold().translate(_WITHOUT_PUNCTUATION)
    if not letters.isascii():
        letters = "".join(each for each in letters if unicodedata.category(each)[0] != "P")
    return letters.split()
