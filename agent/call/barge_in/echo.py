"""Whether an utterance is the agent's own voice, heard back. The timing decides, with the words.

Browsers and telephones cancel echo. The rest follows the agent's words at a small, constant lag,
and has no word that the agent has not said.
"""

from collections.abc import Sequence

from agent.call.output.playout import SpokenWord
from config.phrases import Words, count_of

# A complete utterance with fewer words may as well be the caller's choice of what was offered.
LEAST_WORDS = 3
# From the agent's output over both networks and the caller's loudspeaker to the agent's input.
# Nobody repeats words that fast.
LONGEST_LAG_SECONDS = 0.6
# If the time of a word is less certain than this, no echo can be recognised.
CLEAR_SECONDS = 1.2
# An echo is quiet: one in this many of the agent's words may be missing from it.
HEARD_OF_A_MISSING = 4


def is_echo(
    heard: Words,
    spoken: Sequence[SpokenWord],
    *,
    begun_at: float,
    ended_at: float | None,
    complete: bool,
) -> bool:
    """Whether every word heard is one that the agent had just said, in the same order.

    `begun_at` and `ended_at` are those of the voice, in seconds on the clock of the spoken words;
    `ended_at` is None while it goes on. The last word of an incomplete utterance may be cut.
    """
    if not heard or (complete and count_of(heard) < LEAST_WORDS):
        return False
    return any(
        _lags(begun_at, word.earliest_start, word.latest_start)
        and (last := _last_matched(heard, spoken[at:], cut=not complete)) is not None
        and (ended_at is None or _lags(ended_at, last.earliest_end, last.latest_end))
        for at, word in enumerate(spoken)
    )


def _lags(at: float, earliest: float, latest: float) -> bool:
    """Whether `at` is within an echo's lag of a moment between `earliest` and `latest`."""
    is_clear = latest - earliest <= CLEAR_SECONDS
    return is_clear and earliest <= at <= latest + LONGEST_LAG_SECONDS


def _last_matched(heard: Words, spoken: Sequence[SpokenWord], *, cut: bool) -> SpokenWord | None:
    """The agent's word that matches the last one heard; None unless all before it match as well."""
    missing = len(heard) // HEARD_OF_A_MISSING
    rest = iter(spoken)
    last: SpokenWord | None = None
    for at, word in enumerate(heard):
        while (last := next(rest, None)) is not None:
            may_be_cut = cut and at == len(heard) - 1
            if last.text == word or (may_be_cut and last.text.startswith(word)):
                break
            missing -= 1
            if at == 0 or missing < 0:
                return None
    return last
