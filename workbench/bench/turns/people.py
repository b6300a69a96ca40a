"""People who read aloud and announce: what a second opinion on ends of turns is measured on.

Their recordings keep the sound behind the last word, in which a voice dies away: a detector that
goes by sound takes an end that is cut off short for no end at all.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle

import numpy as np

from agent.caller.microphone import SAMPLE_RATE
from workbench.bench.turns.corpus import Call, call_of
from workbench.local.calling.corpus import Utterance, announcements, austen, dickens, with_pause

__all__ = ["MOST", "halves", "people"]

_PAUSES_SECONDS = (0.6, 0.9, 1.3, 2.0)
_EDGE_SECONDS = 0.2
_GAP_SECONDS = 4.2
"""Longer than the most patient preset waits."""
_WINDOW = SAMPLE_RATE * 30 // 1000
MOST = 100
"""Turns of one speaker's."""


def people(*, most: int = MOST, others: bool = False) -> list[Call]:
    """Human speech alone, as much as this machine has: a call for each speaker, of at most `most`
    turns. Into every other turn a pause is put where it is quietest about its middle: somebody
    stops to think. With `others` these are other announcements, and nobody reads: to choose by.

    Raises EngineUnavailableError where the reading of Dickens is missing.
    """
    announced = announcements(_EDGE_SECONDS)
    speakers: dict[str, Sequence[Utterance]] = {"other announcements": announced[1::2]}
    if not others:
        speakers = {
            "a reader": dickens(_EDGE_SECONDS),
            "another reader": austen(_EDGE_SECONDS),
            "announcements": announced[::2],
        }
    return [
        call_of(name, _hesitant(said[:most]), gap_seconds=_GAP_SECONDS)
        for name, said in speakers.items()
        if said
    ]


def _hesitant(said: Sequence[Utterance]) -> list[Utterance]:
    pauses = cycle(_PAUSES_SECONDS)
    return [
        with_pause(*halves(each), next(pauses)) if number % 2 else each
        for number, each in enumerate(said)
    ]


def halves(whole: Utterance) -> tuple[Utterance, Utterance]:
    """Cut where 30 ms of its middle third are the quietest."""
    third = whole.samples.size // 3
    starts = range(third, 2 * third, _WINDOW)
    levels = [np.abs(whole.samples[at : at + _WINDOW].astype(np.int32)).mean() for at in starts]
    cut = starts[int(np.argmin(levels))] + _WINDOW // 2
    words = whole.text.split()
    middle = len(words) // 2
    return (
        replace(whole, text=" ".join(words[:middle]), samples=whole.samples[:cut]),
        replace(whole, text=" ".join(words[middle:]), samples=whole.samples[cut:]),
    )
