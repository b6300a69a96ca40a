"""Whether to say one soft "mhm" in a long turn of the caller, to show that the agent listens.

It is said in a short pause, after words that surely go on; never where the turn may be ending.
"""

import math

from agent.call.turns.eagerness import Outlook, SoFar
from agent.call.voices.vad_tap import RESULT_SECONDS
from config.phrases import count_of, words_of

# The pause in which it is said. A shorter quiet is not a pause; after a longer one the caller may
# be waiting for an answer.
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 0.6
# The words have to end within this time of the voice's end: otherwise some are not known yet.
REACH_SECONDS = 0.25
# A long turn with fewer words is a noise, or somebody who thinks aloud.
LEAST_WORDS = 8
# The sound has to be made ready after this part of `after_seconds`.
READY = 0.5


class Backchannel:
    """Decides for one call. Times are seconds on any one clock; `threshold` is the probability from
    which the voice detector hears a voice."""

    def __init__(self, after_seconds: float, threshold: float) -> None:
        """`after_seconds`: how long a turn has to last before the sound may be said."""
        self.is_dictated = False
        """The caller dictates a number, an address or a spelling."""
        self.is_on_hold = False
        """The caller has asked the agent to wait, and has had no answer since."""
        self._after_seconds = after_seconds
        self._threshold = threshold
        self._voice_until = -math.inf
        self._quiet_seconds = 0.0
        self._begun_at = math.inf
        self._was_said = False
        self._goes_on = False
        self._so_far = SoFar("")
        self._final_words = 0

    def hear(self, now: float, probability: float) -> None:
        """Take the voice detector's newest result."""
        if probability >= self._threshold:
            self._voice_until, self._quiet_seconds = now, 0.0
        else:
            self._quiet_seconds += RESULT_SECONDS

    def open(self, begun_at: float) -> None:
        """The caller has begun a turn."""
        self._begun_at, self._was_said = begun_at, False
        self._goes_on, self._so_far, self._final_words = False, SoFar(""), 0

    def close(self) -> None:
        """The turn is over."""
        self._begun_at = math.inf

    def learn(self, so_far: SoFar, outlook: Outlook, *, is_answered: bool) -> None:
        """Take the words since the last final text; `is_answered` when a reply to them begins."""
        self._so_far = so_far
        self._goes_on = outlook is Outlook.UNLIKELY and not is_answered

    def finish(self, text: str) -> None:
        """Take a final text. The turn is over now, or goes on if its end is held back."""
        self._final_words += count_of(words_of(text))
        self._so_far, self._goes_on = SoFar(""), False

    def is_near(self, now: float) -> bool:
        """Whether the sound may be needed soon."""
        return now - self._begun_at >= self._after_seconds * READY and not self._was_said

    def is_due(self, now: float) -> bool:
        """Whether to say it now."""
        is_long = now - self._begun_at >= self._after_seconds and self._has_words
        waits = self.is_dictated or self.is_on_hold or self._was_said
        return is_long and not waits and self._goes_on and self._is_pause and self._is_told

    def said(self) -> None:
        """It is being said: not again in this turn."""
        self._was_said = True

    @property
    def _has_words(self) -> bool:
        newest = count_of(words_of(self._so_far.text))
        return self._final_words + newest >= LEAST_WORDS

    @property
    def _is_pause(self) -> bool:
        """Whether this is a short pause; False if this turn has had no voice yet."""
        is_short = PAUSE_SECONDS <= self._quiet_seconds <= LONGEST_PAUSE_SECONDS
        return self._voice_until >= self._begun_at and is_short

    @property
    def _is_told(self) -> bool:
        """Whether all words up to the voice's end are known."""
        ended_at = self._so_far.ended_at
        return ended_at is None or ended_at >= self._voice_until - REACH_SECONDS
