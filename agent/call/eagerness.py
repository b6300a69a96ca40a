"""How early a reply to the caller is begun: by the quiet behind the words, and by the words so far.

A reply that is begun is thought out and synthesised, and not heard before the turn has ended; it is
thrown away when the caller goes on.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Literal

from agent.call.barge_in import RESULT_SECONDS
from config.phrases import Phrases, Words, begins, count_of, words_of

Level = Literal["off", "some", "full"]

# From this end-of-turn confidence on the service takes the words for a whole turn, if no word of
# them will change. Before that its figure says nothing: it stays low until the turn's end.
SURE_CONFIDENCE = 0.5
# An answer to a question may be so short and whole.
ANSWER_WORDS = 3
# The words have to reach so near to the end of the voice: else there are more on the way. A last
# word that may still change may have just begun when it was told: it takes as long as its letters.
REACH_SECONDS = 0.25
LETTERS_A_SECOND = 11
# The detector hears the end of a voice a tenth of a second late. Quiet counts from where the sound
# got so much softer, once the detector agrees; what stays soft for longer is a soft voice.
SOFTER_DB = 24.0
LAG_SECONDS = 0.2
# A reply that is thrown away sooner than this has cost nothing: its request has not been sent. The
# last word often comes together with the voice detector's result.
UNSENT_SECONDS = 0.01
# How fast the loudness is forgotten that sound is compared with, in each of the detector's results.
FORGETS_DB = 0.5

_ENDS = (".", "?", "!", "\u3002", "\uff1f", "\uff01", "\u061f", "\u0964")
_GOES_ON = (",", "-", "\u2013", "\u2014", "...", "\u2026", ":", ";", "\u3001", "\uff0c", "\u060c")


class Outlook(Enum):
    """Whether the words so far may be the whole turn."""

    SURE = auto()
    LIKELY = auto()
    DOUBTFUL = auto()


@dataclass(frozen=True, slots=True)
class SoFar:
    """The words of an open turn, as they stand."""

    text: str
    settled: bool = False
    """No word of it will change."""
    confidence: float | None = None
    """The service's, from 0 to 1, that the turn is over."""
    ended_at: float | None = None
    """When the last word ended, in seconds on the clock of `Eagerness`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """After how much quiet, in seconds, a reply is begun; infinite for never."""

    quiet: Mapping[Outlook, float]
    most_replies: int
    """That are begun in one turn."""
    wasted_share: float
    """Where more of a call's replies than this were thrown away, a turn begins none."""


LIMITS: Mapping[Level, Limits] = MappingProxyType(
    {
        "off": Limits({}, 0, 0.0),
        "some": Limits({Outlook.SURE: 0.09, Outlook.LIKELY: 0.12}, 3, 0.15),
        "full": Limits({Outlook.SURE: 0.06, Outlook.LIKELY: 0.09, Outlook.DOUBTFUL: 1.2}, 4, 0.25),
    }
)


class _Fall:
    """Hears from the loudness that a voice is over, before the detector knows."""

    def __init__(self) -> None:
        self._loudest_db = -math.inf
        self._left_seconds = 0.0

    def hear(self, level_db: float) -> bool:
        """Whether this result has far softer sound than the voice just before it."""
        if level_db <= self._loudest_db - SOFTER_DB and self._left_seconds > 0:
            self._left_seconds -= RESULT_SECONDS
            return True
        is_loud = level_db > self._loudest_db - SOFTER_DB
        self._loudest_db = max(level_db, self._loudest_db - FORGETS_DB) if is_loud else level_db
        self._left_seconds = LAG_SECONDS
        return False

    def end(self) -> None:
        """The detector hears no voice."""
        self._left_seconds = 0.0


class Eagerness:
    """Decides for one call. Times are seconds on any one clock; `threshold` is the probability from
    which the voice detector hears a voice."""

    def __init__(self, level: Level, threshold: float) -> None:
        self._limits = LIMITS[level]
        self._threshold = threshold
        self._voice_until = -math.inf
        self._quiet_seconds = 0.0
        self._is_voice = False
        self._is_fresh = False  # the last word was told in the quiet: hardly will another be
        self._fall = _Fall()
        self._opened_at = math.inf
        self._so_far = SoFar("")
        self._outlook = Outlook.DOUBTFUL
        self._begun: Words = ()
        self._begun_at = -math.inf
        self._replies = 0
        self._answers = 0  # turns that got one
        self._wasted = 0

    @property
    def begun(self) -> Words:
        """The words that the reply which is being made answers; none without one."""
        return self._begun

    def hear(self, now: float, probability: float, level_db: float) -> None:
        """The voice detector's newest result, and how loud the sound was that it is about."""
        self._is_voice = probability >= self._threshold
        if not self._is_voice:
            self._fall.end()
        if self._is_voice and not self._fall.hear(level_db):
            self._voice_until, self._quiet_seconds, self._is_fresh = now, 0.0, False
        else:
            self._quiet_seconds += RESULT_SECONDS

    def open(self, begun_at: float) -> None:
        """The caller has begun a turn."""
        self.close()
        self._opened_at, self._replies = begun_at, 0

    def end(self, now: float, text: str) -> None:
        """The turn is over, with these words."""
        self._throw_away_unless(words_of(text), now)
        self._answers += 1
        self.close()

    def close(self) -> None:
        """There is no turn any more."""
        self._opened_at, self._so_far, self._begun = math.inf, SoFar(""), ()

    def learn(self, now: float, so_far: SoFar, outlook: Outlook) -> None:
        """What has been said so far."""
        words = words_of(so_far.text)
        self._throw_away_unless(words, now)
        if self._quiet_seconds and words != words_of(self._so_far.text):
            self._is_fresh = True
        self._so_far, self._outlook = so_far, outlook

    def begins(self) -> bool:
        """Whether a reply to the words so far is to be begun now."""
        words = words_of(self._so_far.text)
        if not words or words == self._begun or self._replies >= self._limits.most_replies:
            return False
        if not (self._replies or self._is_affordable()):
            return False
        return self._is_quiet() and self._is_whole()

    def begin(self, now: float) -> None:
        """A reply to the words so far is begun."""
        self._begun, self._begun_at = words_of(self._so_far.text), now
        self._replies += 1

    def _throw_away_unless(self, words: Words, now: float) -> None:
        """The reply that is being made is worthless if it answers other words."""
        if not self._begun or words == self._begun:
            return
        self._begun = ()
        self._wasted += now - self._begun_at >= UNSENT_SECONDS

    def _is_affordable(self) -> bool:
        """Whether few enough of the call's replies were thrown away until now."""
        return self._wasted <= self._limits.wasted_share * (self._answers + self._wasted)

    def _is_quiet(self) -> bool:
        """A detector that has heard no voice in this turn cannot tell when it fell quiet."""
        is_last = self._is_fresh and self._outlook is Outlook.LIKELY
        outlook = Outlook.SURE if is_last else self._outlook
        needed = self._limits.quiet.get(outlook, math.inf)
        is_quiet = not self._is_voice and self._quiet_seconds >= needed
        return is_quiet and self._voice_until >= self._opened_at

    def _is_whole(self) -> bool:
        ended_at = self._so_far.ended_at
        reach_seconds = REACH_SECONDS
        if not self._so_far.settled:
            reach_seconds += len(words_of(self._so_far.text)[-1]) / LETTERS_A_SECOND
        return ended_at is None or ended_at >= self._voice_until - reach_seconds


def outlook(so_far: SoFar, phrases: Phrases, *, asked: bool) -> Outlook:
    """Whether these words may be the whole turn. `asked` if the agent's last words were a question.

    Where the service is silent about it, punctuation, the last words and the question tell.
    """
    words, text = words_of(so_far.text), so_far.text.rstrip()
    if text.endswith(_GOES_ON) or _end_in(words, phrases.unfinished):
        return Outlook.DOUBTFUL
    if so_far.settled and so_far.confidence is not None:
        return Outlook.SURE if so_far.confidence >= SURE_CONFIDENCE else Outlook.DOUBTFUL
    if text.endswith(_ENDS):
        return Outlook.SURE
    if count_of(words) <= ANSWER_WORDS and asked:
        return Outlook.SURE
    if not asked and words in phrases.acknowledgements | phrases.interjections:
        return Outlook.DOUBTFUL
    return Outlook.LIKELY


def _end_in(words: Words, phrases: Iterable[Words]) -> bool:
    return any(len(each) <= len(words) and begins(each, words[-len(each) :]) for each in phrases)
