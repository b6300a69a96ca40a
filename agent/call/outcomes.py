"""How often what was said over the agent was taken for what, and how often that was wrong."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from agent.call.marked import Mark
from config.phrases import Words, words_of

INTERRUPTION = "interruption"
KINDS = (INTERRUPTION, *(mark.value for mark in Mark))

# A caller's turn that begins so soon after an utterance goes on from it.
WENT_ON_SECONDS = 1.0
# Who says the same again within this time wants an answer to it.
REPEATED_SECONDS = 10.0
# Of fewer words, another turn may well have all by chance: it has to have no others.
DISTINCT_WORDS = 3

Tell = Callable[[str, bool], None]
"""One more of a kind, and whether it was taken for the right thing."""

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
    """An utterance with a mark, of which it is not known yet whether it was meant as a turn."""

    mark: Mark
    words: Words
    ended_at: float
    speaker: str


class Outcomes:
    """One call's. Times are seconds on any one clock.

    A kept utterance was marked wrongly (`false`) if the same caller's next turn begins within
    WENT_ON_SECONDS of its end, or has the same words again within REPEATED_SECONDS.
    """

    def __init__(self, tell: Tell | None = None) -> None:
        self._tell = tell
        self._counts: Counter[tuple[str, bool]] = Counter()
        self._kept: list[_Kept] = []

    def count(self, kind: str, *, is_right: bool) -> None:
        """One more of which it is known at once: kinds are those of KINDS."""
        self._counts[kind, is_right] += 1
        if self._tell:
            self._tell(kind, is_right)

    def kept(self, mark: Mark, text: str, ended_at: float, speaker: str = "") -> None:
        """An utterance got this mark; without a speaker, anybody's next turn tells about it."""
        self._kept.append(_Kept(mark, words_of(text), ended_at, speaker))

    def turn(self, text: str, begun_at: float, speaker: str = "") -> None:
        """The caller's turn is over, and has these words."""
        words = words_of(text)
        if not words:
            return
        told = [each for each in self._kept if each.speaker in ("", speaker)]
        self._kept = [each for each in self._kept if each not in told]
        for each in told:
            self.count(each.mark.value, is_right=not _was_meant(each, words, begun_at))

    def settle(self) -> None:
        """No other turn comes: what is not known to be wrong was right."""
        kept, self._kept = self._kept, []
        for each in kept:
            self.count(each.mark.value, is_right=True)

    def fields(self) -> dict[str, int]:
        """For the log."""
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
