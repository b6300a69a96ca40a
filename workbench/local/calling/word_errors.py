"""How many words were understood wrongly."""

from collections.abc import Iterable

import jiwer

from agent.caller.transcript import words


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Wrong words per word said, over pairs of what was said and what was understood.

    Case, punctuation, hyphens, and whether a number is written in digits do not count.
    """
    said, understood = zip(*((words(a), words(b)) for a, b in pairs), strict=True)
    return float(jiwer.wer(list(said), list(understood)))
