"""How early to begin a reply to the caller: decided by the quiet after the words, and by the words.

A reply that has begun is generated and synthesised, but not heard before the turn has ended. If the
caller goes on, it is thrown away.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Literal

from agent.call.voices.vad_tap import RESULT_SECONDS
from config.phrases import Phrases, Words, begins, count_of, words_of

Level = Literal["off", "some", "full"]

# From this end-of-turn confidence on, words are a whole turn for the service, once none of them can
# change. While one can, the figure says nothing: it stays low until the turn's end.
SURE_CONFIDENCE = 0.5
# An answer to a question may be whole with this few words.
SHORT_ANSWER_WORDS = 3
# The words have to end within this time of the voice's end: otherwise more are on the way. A last
# word that may still change may have just begun when it came: it lasts as long as its letters take.
REACH_SECONDS = 0.25
LETTERS_A_SECOND = 11
# The detector notices the end of a voice 0.1 s late. So quiet counts from where the sound dropped
# by this much, once the detector agrees. If the detector still hears a voice after LAG_SECONDS, it
# is a soft voice.
SOFTER_DB = 24.0
LAG_SECONDS = 0.2
# A reply that is thrown away within this time has cost nothing: its request has not been sent. This
# happens often, since the last word tends to come together with the voice detector's result.
UNSENT_SECONDS = 0.01
# By how much the reference loudness falls with each of the detector's results.
FORGETS_DB = 0.5

_ENDS = (".", "?", "!", "\u3002", "\uff1f", "\uff01", "\u061f", "\u0964")
_GOES_ON = (",", "-", "\u2013", "\u2014", "...", "\u2026", ":", ";", "\u3001", "\uff0c", "\u060c")


class Outlook(Enum):
    """Whether the words so far may be the whole turn."""

    SURE = auto()
    LIKELY = auto()
    UNLIKELY = auto()


@dataclass(frozen=True, slots=True)
class SoFar:
    """The words of an open turn so far."""

    text: str
    settled: bool = False
    """None of the words will change."""
    confidence: float | None = None
    """The service's confidence that the turn is over, from 0 to 1."""
    ended_at: float | None = None
    """When the last word ended, in seconds on the clock of `Eagerness`."""


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """When replies begin. `quiet`: after how many seconds of quiet; without a value, never."""

    quiet: Mapping[Outlook, float]
    most_replies: int
    """Replies that may begin in one turn."""
    wasted_share: float
    """If a larger share of the call's replies was thrown away, a turn begins none."""


REPLY_LIMITS: Mapping[Level, ReplyLimits] = MappingProxyType(
    {
        "off": ReplyLimits({}, 0, 0.0),
        "some": ReplyLimits({Outlook.SURE: 0.09, Outlook.LIKELY: 0.12}, 3, 0.15),
        "full": ReplyLimits(
            {Outlook.SURE: 0.06, Outlook.LIKELY: 0.09, Outlook.UNLIKELY: 1.2}, 4, 0.25
        ),
    }
)


class _Fall:
    """Notices by a drop in loudness that a voice has ended, before the detector does."""

    def __init__(self) -> None:
        self._loudest_db = -math.inf
        self._left_seconds = 0.0

    def hear(self, level_db: float) -> bool:
        """Whether this result's sound is far softer than the voice just before it."""
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
        self._limits = REPLY_LIMITS[level]
        self._threshold = threshold
        self._voice_until = -math.inf
        self._quiet_seconds = 0.0
        self._is_voice = False
        self._is_fresh = False  # the newest word came in the quiet: another is unlikely
        self._fall = _Fall()
        self._opened_at = math.inf
        self._so_far = SoFar("")
        self._outlook = Outlook.UNLIKELY
        self._begun: Words = ()
        self._begun_at = -math.inf
        self._replies = 0
        self._answers = 0  # turns that have ended
        self._wasted = 0

    @property
    def begun(self) -> Words:
        """The words that the current early reply answers; empty if there is none."""
        return self._begun

    def hear(self, now: float, probability: float, level_db: float) -> None:
        """Take the voice detector's newest result, and the loudness of its sound."""
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
        """No turn is open from now on."""
        self._opened_at, self._so_far, self._begun = math.inf, SoFar(""), ()

    def learn(self, now: float, so_far: SoFar, outlook: Outlook) -> None:
        """Take what has been said so far."""
        words = words_of(so_far.text)
        self._throw_away_unless(words, now)
        if self._quiet_seconds and words != words_of(self._so_far.text):
            self._is_fresh = True
        self._so_far, self._outlook = so_far, outlook

    def begins(self) -> bool:
        """Whether to begin a reply to the words so far now."""
        words = words_of(self._so_far.text)
        if not words or words == self._begun or self._replies >= self._limits.most_replies:
            return False
        if not (self._replies or self._is_affordable()):
            return False
        return self._is_quiet() and self._is_whole()

    def begin(self, now: float) -> None:
        """A reply to the words so far begins."""
        self._begun, self._begun_at = words_of(self._so_far.text), now
        self._replies += 1

    def _throw_away_unless(self, words: Words, now: float) -> None:
        """Drop the current reply if it answers other words, and count it as wasted."""
        if not self._begun or words == self._begun:
            return
        self._begun = ()
        self._wasted += now - self._begun_at >= UNSENT_SECONDS

    def _is_affordable(self) -> bool:
        """Whether the share of replies thrown away in this call is low enough."""
        return self._wasted <= self._limits.wasted_share * (self._answers + self._wasted)

    def _is_quiet(self) -> bool:
        """Whether it has been quiet for long enough; False if this turn has had no voice yet."""
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
    """Whether these words may be the whole turn. `asked`: the agent's last words were a question.

    Without a confidence from the service, punctuation, the last words and the question decide.
    """
    words, text = words_of(so_far.text), so_far.text.rstrip()
    if text.endswith(_GOES_ON) or _end_in(words, phrases.unfinished):
        return Outlook.UNLIKELY
    if so_far.settled and so_far.confidence is not None:
        return Outlook.SURE if so_far.confidence >= SURE_CONFIDENCE else Outlook.UNLIKELY
    if text.endswith(_ENDS):
        return Outlook.SURE
    if count_of(words) <= SHORT_ANSWER_WORDS and asked:
        return Outlook.SURE
    if not asked and words in phrases.acknowledgements | phrases.interjections:
        return Outlook.UNLIKELY
    return Outlook.LIKELY


def _end_in(words: Words, phrases: Iterable[Words]) -> bool:
    return any(len(each) <= len(words) and begins(each, words[-len(each) :]) for each in phrases)
