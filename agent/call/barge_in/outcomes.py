"""Counts how utterances over the agent's speech were judged, and how often that was wrong."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from agent.call.history.marked import Mark
from config.phrases import Words, words_of

INTERRUPTION = "interruption"
KINDS = (INTERRUPTION, *(mark.value for mark in Mark if mark is not Mark.CONSENT))

# A caller's turn that begins within this time of an utterance's end continues it.
WENT_ON_SECONDS = 1.0
# A caller who says the same again within this time wants an answer to it.
REPEATED_SECONDS = 10.0
# Another turn may contain fewer words than this by chance: then it has to have no others.
DISTINCT_WORDS = 3

Tell = Callable[[str, bool], None]
"""Called with the kind of one utterance, and whether the judgement was right."""

_PLURALS = {
    INTERRUPTION: "interruptions",
    Mark.BACKCHANNEL.value: "backchannels",
    Mark.ECHO.value: "echoes",
    Mark.ASIDE.value: "asides",
    Mark.UNANSWERED.value: "unanswered",
    Mark.HOLD.value: "holds",
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A marked utterance. It is not known yet whether it was meant as a turn."""

    mark: Mark
    words: Words
    ended_at: float
    speaker: str


class Outcomes:
    """For one call. Times are seconds on any one clock.

    A kept utterance was marked wrongly (`false`) if the same caller's next turn begins within
    WENT_ON_SECONDS of its end, or repeats its words within REPEATED_SECONDS.
    """

    def __init__(self, tell: Tell | None = None) -> None:
        self.listeners = [tell] if tell else []
        """Each is told of every utterance."""
        self._counts: Counter[tuple[str, bool]] = Counter()
        self._kept: list[_Kept] = []

    def count(self, kind: str, *, is_right: bool) -> None:
        """Count one whose outcome is known at once; `kind` is one of KINDS."""
        self._counts[kind, is_right] += 1
        for tell in self.listeners:
            tell(kind, is_right)

    def kept(self, mark: Mark, text: str, ended_at: float, speaker: str = "") -> None:
        """An utterance got this mark. Its speaker's next turn decides whether that was right;
        without a speaker, anybody's."""
        self._kept.append(_Kept(mark, words_of(text), ended_at, speaker))

    def turn(self, text: str, begun_at: float, speaker: str = "") -> None:
        """The caller's turn is over, and has these words."""
        words = words_of(text)
        if not words:
            return
        decided = [each for each in self._kept if each.speaker in ("", speaker)]
        self._kept = [each for each in self._kept if each not in decided]
        for each in decided:
            self.count(each.mark.value, is_right=not _was_meant(each, words, begun_at))

    def settle(self) -> None:
        """No other turn comes: count all that are undecided as right."""
        kept, self._kept = self._kept, []
        for each in kept:
            self.count(each.mark.value, is_right=True)

    def fields(self) -> dict[str, int]:
        """The counts, as fields of a log line."""
        names = {
            (kind, is_right): _PLURALS[kind] if is_right else f"false_{_PLURALS[kind]}"
            for kind in KINDS
            for is_right in (True, False)
        }
        return {name: self._counts[each] for each, name in names.items()}


def _was_meant(kept: _Kept, turn: Words, begun_at: float) -> bool:
    seconds = begun_at - kept.ended_at
    return seconds < WENT_ON_SECONDS or (
        seconds < REPEATED_SECONDS and _has_again(turn, kept.words)
    )


def _has_again(turn: Words, words: Words) -> bool:
    size = len(words)
    if size < DISTINCT_WORDS:
        return turn == words
    return any(turn[at : at + size] == words for at in range(len(turn) - size + 1))
