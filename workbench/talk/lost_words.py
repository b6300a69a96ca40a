"""Words that a caller said and that are nowhere in the conversation afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass

import jiwer

from workbench.talk.kept import KeptCall
from workbench.talk.spans import Kind
from workbench.transcript import words

__all__ = ["Lost", "lost_words"]


@dataclass(frozen=True, slots=True)
class Lost:
    """Words of the turns that were said over the agent, or into its silence."""

    said: int
    lost: int
    """Without any word in their place: a word that was misheard is not lost."""
    whole_turns: int
    """Turns of which no word is left."""


def lost_words(calls: Iterable[KeptCall], *, over_reply: bool) -> Lost:
    """Each call's words, in order, beside those that were heard, in order."""
    said = lost = whole = 0
    for call in calls:
        for size, missing in _missing(call, over_reply=over_reply):
            said += size
            lost += missing
            whole += missing == size
    return Lost(said, lost, whole)


def _missing(call: KeptCall, *, over_reply: bool) -> Iterable[tuple[int, int]]:
    """For each such turn: how many words it had, and how many were deleted."""
    turns = [each for each in call.stimuli if each.kind is Kind.TURN]
    texts = [words(each.text).split() for each in turns]
    heard = words(" ".join(each.text for each in call.segments if each.is_callers))
    deleted: set[int] = set()
    if said := " ".join(word for text in texts for word in text):
        [chunks] = jiwer.process_words(said, heard).alignments
        for chunk in chunks:
            if chunk.type == "delete":
                deleted.update(range(chunk.ref_start_idx, chunk.ref_end_idx))
    first = 0
    for turn, text in zip(turns, texts, strict=True):
        if turn.is_over_reply is over_reply and text:
            yield len(text), sum(first <= place < first + len(text) for place in deleted)
        first += len(text)
