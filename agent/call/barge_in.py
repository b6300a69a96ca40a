"""How the agent yields to a voice before anybody knows what it says: duck first, stop after.

               a voice                        the voice lasts, or doubtful words
      SPEAKS ───────────► DUCKS, goes on softly ─────────────────────────────► IS SILENT
        ▲                   │                                                    │
        └───────────────────┴────────────────────────────────────────────────────┘
          quiet without words; a backchannel or an echo; a voice that brings no words in time

What brought no words is not yielded to again before it has fallen quiet, and after the agent has
stopped for two of such, no voice is for a while: neither a hum, a television nor the agent's own
echo keep it from speaking. Words that want the floor stop it: `overlap`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import Literal

from agent.call.interruptions import Verdict
from config.behaviour import AgentSettings

Strength = Literal["eager", "balanced", "calm"]

# After it has stopped for so many voices without a word, the agent yields to none for this time.
MOST_WORDLESS = 2
DISTRUST_SECONDS = 8.0
# How much sound each result of the voice detector covers.
RESULT_SECONDS = 0.032
# From this probability on it is a voice and hardly anything else: it counts for so much more.
SURE_PROBABILITY, SURE_WEIGHT = 0.8, 2
# Words of what was surely a voice are expected for this long; meanwhile the agent is not loud.
EXPECTING_SECONDS = 0.6
SURE_RESULTS = 3
# To be silent for a voice, it has to be nearer to the caller's level than to duck for it.
NEARER_DB = 5
# A voice that is surely one, and as loud as the caller's, is waited for so many times as long:
# recognition is late. So much of it has to be sure.
SURELY_CALLERS, SURE_SHARE = 3, 0.75
# How fast the level of the caller's voice is learnt: the share of each tenth of a second or so.
LEARNING = 0.05


class Posture(Enum):
    """How the agent speaks."""

    SPEAKS = auto()
    DUCKS = auto()
    """It goes on, softly."""
    IS_SILENT = auto()
    """It stands still where it was."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How easily the agent yields."""

    onset_seconds: float
    """The agent ducks for a voice of this length, or of half of it if it is surely a voice."""
    stop_seconds: float
    """It falls silent for a voice that lasts as long as this without a break."""
    quiet_seconds: float
    """The agent goes on after this much quiet."""
    wordless_seconds: float
    """How long the agent waits for the first word of a voice."""
    quieter_db: float
    """A voice this much quieter than the caller's is somebody else's."""


LIMITS: Mapping[Strength, Limits] = MappingProxyType(
    {
        "eager": Limits(0.09, 0.19, quiet_seconds=0.4, wordless_seconds=1.6, quieter_db=25),
        "balanced": Limits(0.16, 0.4, quiet_seconds=0.13, wordless_seconds=1.2, quieter_db=15),
        "calm": Limits(0.32, 0.8, quiet_seconds=0.13, wordless_seconds=0.8, quieter_db=10),
    }
)


def limits_of(agent: AgentSettings) -> Limits:
    """Those of the strength, but for what is set by itself."""
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


class BargeIn:
    """Decides for one call. Times are seconds on any one clock; `threshold` is a probability."""

    def __init__(self, limits: Limits, threshold: float) -> None:
        self._limits = limits
        self._threshold = threshold
        self._caller_db: float | None = None
        self._voiced = 0  # results: what is sure counts double, pauses count against it
        self._heard = 0  # all of the voice's results, and the sum of their levels
        self._heard_db = 0.0
        self._sure = 0
        self._lasts_since: float | None = None
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
        """The voice detector's newest result. `callers_turn` when the agent is silent, and the
        voice so the caller's own, whose level is learnt."""
        is_voice = probability >= self._threshold
        if is_voice and callers_turn:
            self._learn(level_db)
        if is_voice and self._is_loud(level_db):
            is_sure = probability >= SURE_PROBABILITY
            self._sure += is_sure
            self._heard += 1
            self._heard_db += level_db
            self._voiced += SURE_WEIGHT if is_sure else 1
            self._lasts_since = now if self._lasts_since is None else self._lasts_since
            self._voice_until = now
        elif not self._is_voice:
            self._voiced = max(0, self._voiced - 1)
        if self._is_quiet(now):
            self._lasts_since = None
            if self._refused or not self._expects_words(now):
                self._voiced, self._sure, self._refused = 0, 0, False
                self._heard, self._heard_db = 0, 0.0

    def judge(self, verdict: Verdict | None) -> None:
        """What the words so far are; None when the utterance is over."""
        self._verdict = verdict
        self._has_words = self._has_words or verdict is not None
        if verdict in (Verdict.BACKCHANNEL, Verdict.ECHO):
            self._refused = True

    def may_yield(self, now: float) -> bool:
        """Whether something is heard that the agent may have to yield to within a moment."""
        return self._voiced > 0 and not self._refused and now >= self._distrusts_until

    def posture(self, now: float) -> Posture:
        """How the agent is to speak now."""
        match self._verdict:
            case Verdict.DOUBTFUL:
                wanted = Posture.IS_SILENT
            case Verdict.UNDECIDED:
                wanted = Posture.IS_SILENT if self._lasts else Posture.DUCKS
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
        return Posture.IS_SILENT if self._lasts else Posture.DUCKS

    def _follow(self, wanted: Posture, now: float) -> None:
        """When it began to yield, and with what success."""
        if wanted is Posture.SPEAKS:
            if self._was_silent:
                self._count(now)
            self._yielding_since, self._was_silent = None, False
        elif self._yielding_since is None:
            self._yielding_since, self._has_words = now, self._verdict is not None
        self._was_silent = self._was_silent or wanted is Posture.IS_SILENT

    def _count(self, now: float) -> None:
        """The agent goes on: was there a word?"""
        self._wordless = 0 if self._has_words else self._wordless + 1
        if self._wordless >= MOST_WORDLESS:
            self._wordless, self._distrusts_until = 0, now + DISTRUST_SECONDS

    @property
    def _is_voice(self) -> bool:
        return self._voiced * RESULT_SECONDS >= self._limits.onset_seconds

    @property
    def _lasts(self) -> bool:
        """Whether the voice has been there for long, with no break until a moment ago."""
        since = self._lasts_since
        longest = self._limits.stop_seconds - RESULT_SECONDS
        return since is not None and self._voice_until - since >= longest and self._is_near

    @property
    def _is_near(self) -> bool:
        """Whether the voice so far is loud enough to be silent for."""
        if self._caller_db is None:
            return True
        mean_db = self._heard_db / self._heard
        return mean_db >= self._caller_db - self._limits.quieter_db + NEARER_DB

    @property
    def _is_callers(self) -> bool:
        """Whether it is surely a voice, and as loud as the caller's."""
        is_sure = self._heard > 0 and self._sure >= SURE_SHARE * self._heard
        return is_sure and self._caller_db is not None and self._is_near

    def _is_quiet(self, now: float) -> bool:
        return now - self._voice_until > self._limits.quiet_seconds

    def _expects_words(self, now: float) -> bool:
        """Of a voice that has just ended, unless they have come."""
        was_sure = self._sure >= SURE_RESULTS and not self._has_words
        return was_sure and now - self._voice_until <= EXPECTING_SECONDS

    def _learn(self, level_db: float) -> None:
        known = self._caller_db
        self._caller_db = level_db if known is None else known + LEARNING * (level_db - known)

    def _is_loud(self, level_db: float) -> bool:
        return self._caller_db is None or level_db >= self._caller_db - self._limits.quieter_db
