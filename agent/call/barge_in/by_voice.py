"""How the agent yields to a voice before its words are known: duck first, stop later.

      SPEAKS --a voice--> DUCKS --the voice lasts--> IS_SILENT --a pause--> DUCKS
      SPEAKS --doubtful words, an interruption--> IS_SILENT
      DUCKS --doubtful words, an interruption--> IS_SILENT
      DUCKS --quiet, a backchannel, an echo--> SPEAKS
      IS_SILENT --quiet, a backchannel, an echo--> SPEAKS
      IS_SILENT --no words in time--> SPEAKS

While it ducks, the agent goes on softly.
After a voice that brought no words, the agent does not yield again until that voice has fallen
quiet. After it has stopped for two such voices, it yields to no voice for a while. So a hum, a
television or its own echo cannot keep it from speaking. `barge_in_filter` stops it for words.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import Literal

from agent.call.barge_in.interruptions import Verdict
from agent.call.voices.vad_tap import RESULT_SECONDS
from config.behaviour import AgentSettings

Strength = Literal["eager", "balanced", "calm"]

# After stopping for this many voices without a word, the agent yields to no voice for this time.
MOST_WORDLESS = 2
DISTRUST_SECONDS = 8.0
# From this probability on, a result is sure: it counts this many times. A voice is sure if at least
# this share of its results is.
SURE_PROBABILITY, SURE_WEIGHT, SURE_SHARE = 0.8, 2, 0.75
# After a sure voice, words may come for this long; meanwhile the agent is not loud.
EXPECTING_SECONDS = 0.6
# Parts of `quieter_db`. The agent falls silent for a voice that is below the caller's level by at
# most the first; words of a voice that is below it by more than the second are an aside.
NEARER, WITH_WORDS = 1 / 3, 1 / 2
# The agent waits this many times as long for the words of a sure voice that is as loud as the
# caller's: recognition is late.
SURELY_CALLERS = 3
# The level of the caller, and of a voice: the mean power of about this many results.
CALLERS_RESULTS, VOICES_RESULTS = 100, 10


class Posture(Enum):
    """How the agent speaks."""

    SPEAKS = auto()
    DUCKS = auto()
    """It goes on, softly."""
    IS_SILENT = auto()
    """It has stopped, and can go on where it was."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How easily the agent yields."""

    onset_seconds: float
    """The agent ducks for a voice of this length; for a sure one at half of it."""
    stop_seconds: float
    """It falls silent for a voice that lasts this long without a break."""
    quiet_seconds: float
    """The agent goes on after this much quiet."""
    wordless_seconds: float
    """How long the agent waits for the first word of a voice."""
    quieter_db: float
    """A voice that is more than this below the caller's level is somebody else's."""


LIMITS: Mapping[Strength, Limits] = MappingProxyType(
    {
        "eager": Limits(0.09, 0.19, quiet_seconds=0.4, wordless_seconds=1.6, quieter_db=25),
        "balanced": Limits(0.16, 0.25, quiet_seconds=0.07, wordless_seconds=1.2, quieter_db=15),
        "calm": Limits(0.32, 0.8, quiet_seconds=0.13, wordless_seconds=0.8, quieter_db=10),
    }
)


def limits_of(agent: AgentSettings) -> Limits:
    """The limits of the chosen strength; a value that is set by its own name replaces its own."""
    found = LIMITS[agent.barge_in]
    chosen = {
        "onset_seconds": _seconds(agent.barge_in_voice_ms),
        "stop_seconds": _seconds(agent.barge_in_stop_ms),
        "quiet_seconds": _seconds(agent.barge_in_quiet_ms),
        "wordless_seconds": _seconds(agent.barge_in_wordless_ms),
        "quieter_db": agent.barge_in_quieter_db,
    }
    return replace(found, **{name: value for name, value in chosen.items() if value is not None})


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


class VoiceBargeIn:
    """Decides for one call. Times are seconds on any one clock; `threshold` is a probability."""

    def __init__(self, limits: Limits, threshold: float) -> None:
        self._limits = limits
        self._threshold = threshold
        self._caller = _Loudness(CALLERS_RESULTS)
        self._voice = _Voice()
        self._before = _Loudness(VOICES_RESULTS)  # the voice before it, which is over
        self._voice_until = -math.inf
        self._yielding_since: float | None = None
        self._was_silent = False
        self._refused = False  # what is heard brought no words, or a backchannel
        self._verdict: Verdict | None = None
        self._has_words = False
        self._wordless = 0
        self._distrusts_until = -math.inf

    def hear(
        self, now: float, probability: float, level_db: float, *, callers_turn: bool = False
    ) -> None:
        """Take the voice detector's newest result. With `callers_turn` the agent is silent: the
        voice is the caller's, so its level is learnt and there is nothing to yield to."""
        is_voice = probability >= self._threshold
        if is_voice and callers_turn:
            self._caller.hear(level_db)
        elif is_voice:
            self._voice.hear(level_db, is_sure=probability >= SURE_PROBABILITY)
            self._voice.lasts = self._voice.lasts or self._is_long
            self._voice_until = now
        elif not self._is_voice:
            self._voice.weight = max(0, self._voice.weight - 1)
        if self._is_quiet(now):
            self._voice.unbroken = 0
            if self._refused or not self._expects_words(now):
                self._forget_voice()

    def on_verdict(self, verdict: Verdict | None) -> None:
        """Take the verdict on the words so far; None when the utterance is over."""
        self._verdict = verdict
        if verdict is not None:
            self._has_words, self._wordless = True, 0
        if verdict in (Verdict.BACKCHANNEL, Verdict.ECHO):
            self._refused = True

    def is_aside(self, since: float) -> bool:
        """Whether the voice since then is too soft for its words to stop the agent."""
        loudness = self._voice.loudness if self._voice.loudness.is_known else self._before
        if self._voice_until < since or not loudness.is_known:
            return False
        return loudness.db < self._caller.db - self._limits.quieter_db * WITH_WORDS

    def may_yield(self, now: float) -> bool:
        """Whether the agent hears something to which it may have to yield in a moment."""
        return self._voice.weight > 0 and not self._refused and now >= self._distrusts_until

    def posture(self, now: float) -> Posture:
        """How the agent has to speak now."""
        match self._verdict:
            case Verdict.MAYBE_MISHEARD | Verdict.INTERRUPTION:
                wanted = Posture.IS_SILENT
            case Verdict.NEED_MORE | Verdict.ASIDE:
                wanted = self._yielded(now)
            case Verdict.BACKCHANNEL | Verdict.ECHO:
                wanted = Posture.SPEAKS
            case _:
                wanted = self._by_voice(now)
        self._follow(wanted, now)
        return wanted

    def _by_voice(self, now: float) -> Posture:
        since = self._yielding_since
        longest = self._limits.wordless_seconds * (SURELY_CALLERS if self._is_callers else 1)
        if since is not None and now - since > longest:
            self._refused = True
        if not self._is_voice or not self.may_yield(now):
            return Posture.SPEAKS
        return self._yielded(now)

    def _yielded(self, now: float) -> Posture:
        """Silent while a long voice is heard, soft in its pauses."""
        is_silent = self._voice.lasts and not self._is_quiet(now)
        return Posture.IS_SILENT if is_silent else Posture.DUCKS

    def _follow(self, wanted: Posture, now: float) -> None:
        """Note when the agent began to yield, and whether it fell silent."""
        if wanted is Posture.SPEAKS:
            if self._was_silent:
                self._count(now)
            self._yielding_since, self._was_silent = None, False
        elif self._yielding_since is None:
            self._yielding_since, self._has_words = now, self._verdict is not None
        self._was_silent = self._was_silent or wanted is Posture.IS_SILENT

    def _count(self, now: float) -> None:
        """The agent goes on after a stop: count the stop if no word came."""
        self._wordless = 0 if self._has_words else self._wordless + 1
        if self._wordless >= MOST_WORDLESS:
            self._wordless, self._distrusts_until = 0, now + DISTRUST_SECONDS

    @property
    def _is_voice(self) -> bool:
        """Whether the voice is long and loud enough to duck for."""
        is_enough = self._voice.weight * RESULT_SECONDS >= self._limits.onset_seconds
        return is_enough and self._is_within(self._limits.quieter_db)

    @property
    def _is_long(self) -> bool:
        """Whether the voice is long and loud enough to fall silent for."""
        return self._voice.unbroken >= self._limits.stop_seconds / RESULT_SECONDS and self._is_near

    @property
    def _is_near(self) -> bool:
        return self._is_within(self._limits.quieter_db * NEARER)

    def _is_within(self, quieter_db: float) -> bool:
        """Whether the voice is at most this far below the caller's level, if that is known."""
        return self._voice.loudness.db >= self._caller.db - quieter_db

    @property
    def _is_callers(self) -> bool:
        """Whether it is a sure voice, and about as loud as the caller's."""
        return self._voice.is_sure and self._caller.is_known and self._is_near

    def _forget_voice(self) -> None:
        if self._voice.loudness.is_known:
            self._before = self._voice.loudness
        self._voice, self._refused = _Voice(), False

    def _is_quiet(self, now: float) -> bool:
        return now - self._voice_until > self._limits.quiet_seconds

    def _expects_words(self, now: float) -> bool:
        """Whether a sure voice has just ended whose words may still come."""
        may_come = self._is_voice and self._voice.is_sure and not self._has_words
        return may_come and now - self._voice_until <= EXPECTING_SECONDS


class _Loudness:
    """The mean power of about the newest `most` results."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._results = 0
        self._power = 0.0

    def hear(self, level_db: float) -> None:
        self._results = min(self._results + 1, self._most)
        self._power += (10 ** (level_db / 10) - self._power) / self._results

    @property
    def is_known(self) -> bool:
        return self._results > 0

    @property
    def db(self) -> float:
        return 10 * math.log10(self._power) if self.is_known else -math.inf


class _Voice:
    """One voice, until it is forgotten. Its counts are detector results."""

    def __init__(self) -> None:
        self.loudness = _Loudness(VOICES_RESULTS)
        self.weight = 0
        """Sure results count more. Quiet ones count against it until the voice is long enough."""
        self.unbroken = 0
        """Results since it began, or since its last break."""
        self.lasts = False
        """It has been long enough to fall silent for."""
        self._heard = 0
        self._sure = 0

    @property
    def is_sure(self) -> bool:
        return 0 < SURE_SHARE * self._heard <= self._sure

    def hear(self, level_db: float, *, is_sure: bool) -> None:
        self.loudness.hear(level_db)
        self._heard += 1
        self._sure += is_sure
        self.weight += SURE_WEIGHT if is_sure else 1
        self.unbroken += 1
