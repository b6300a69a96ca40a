"""Whether the agent yields to a voice before anybody knows what it says: yield first, decide after.

               a voice for long enough, or doubtful words
      SPEAKS ──────────────────────────────────────────────► YIELDS
        ▲                                                       │
        └───────────────────────────────────────────────────────┘
          quiet without words; a backchannel or an echo; a voice that brings no words in time

What brought no words is not yielded to again before it has fallen quiet, and after two of such no
voice is for a while: neither a hum, a television nor the agent's own echo keep it from speaking.
Words that want the floor stop it: `overlap`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from agent.call.interruptions import Verdict
from config.behaviour import AgentSettings

Strength = Literal["eager", "balanced", "calm"]

# After this many voices without a word, the agent yields to no voice for this time.
MOST_WORDLESS = 2
DISTRUST_SECONDS = 8.0
# How much sound each result of the voice detector covers.
RESULT_SECONDS = 0.032
# From this probability on it is a voice and hardly anything else: it counts for so much more.
SURE_PROBABILITY, SURE_WEIGHT = 0.8, 2
# How fast the level of the caller's voice is learnt: the share of each tenth of a second or so.
LEARNING = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """How easily the agent yields."""

    onset_seconds: float
    """The agent yields to a voice of this length, or of half of it if it is surely a voice."""
    quiet_seconds: float
    """The agent goes on after this much quiet."""
    wordless_seconds: float
    """How long the agent waits for the first word of a voice."""
    quieter_db: float
    """A voice this much quieter than the caller's is somebody else's."""


LIMITS: Mapping[Strength, Limits] = MappingProxyType(
    {
        "eager": Limits(onset_seconds=0.09, quiet_seconds=0.4, wordless_seconds=1.6, quieter_db=25),
        "balanced": Limits(
            onset_seconds=0.16, quiet_seconds=0.16, wordless_seconds=1.2, quieter_db=15
        ),
        "calm": Limits(onset_seconds=0.32, quiet_seconds=0.16, wordless_seconds=0.8, quieter_db=10),
    }
)


def limits_of(agent: AgentSettings) -> Limits:
    """Those of the strength, but for what is set by itself."""
    found = LIMITS[agent.barge_in]
    chosen = {
        "onset_seconds": _seconds(agent.barge_in_voice_ms),
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
        self._voice_until = -math.inf
        self._yielding_since: float | None = None
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
            self._voiced += SURE_WEIGHT if probability >= SURE_PROBABILITY else 1
            self._voice_until = now
        elif not self._is_long:
            self._voiced = max(0, self._voiced - 1)
        if now - self._voice_until > self._limits.quiet_seconds:
            self._voiced, self._refused = 0, False

    def judge(self, verdict: Verdict | None) -> None:
        """What the words so far are; None when the utterance is over."""
        self._verdict = verdict
        self._has_words = self._has_words or verdict is not None
        if verdict in (Verdict.BACKCHANNEL, Verdict.ECHO):
            self._refused = True

    def may_yield(self, now: float) -> bool:
        """Whether something is heard that the agent may have to yield to within a moment."""
        return self._voiced > 0 and not self._refused and now >= self._distrusts_until

    def yields(self, now: float) -> bool:
        """Whether the agent is to be silent now."""
        match self._verdict:
            case Verdict.DOUBTFUL | Verdict.UNDECIDED:
                wanted = True
            case Verdict.BACKCHANNEL | Verdict.ECHO:
                wanted = False
            case _:
                wanted = self._is_voice(now)
        if wanted and self._yielding_since is None:
            self._yielding_since, self._has_words = now, self._verdict is not None
        elif not wanted and self._yielding_since is not None:
            self._yielding_since = None
            self._count(now)
        return wanted

    def _count(self, now: float) -> None:
        """The agent goes on: was there a word?"""
        self._wordless = 0 if self._has_words else self._wordless + 1
        if self._wordless >= MOST_WORDLESS:
            self._wordless, self._distrusts_until = 0, now + DISTRUST_SECONDS

    def _is_voice(self, now: float) -> bool:
        since = self._yielding_since
        if since is not None and now - since > self._limits.wordless_seconds:
            self._refused = True
        return self._is_long and self.may_yield(now)

    @property
    def _is_long(self) -> bool:
        return self._voiced * RESULT_SECONDS >= self._limits.onset_seconds

    def _learn(self, level_db: float) -> None:
        known = self._caller_db
        self._caller_db = level_db if known is None else known + LEARNING * (level_db - known)

    def _is_loud(self, level_db: float) -> bool:
        return self._caller_db is None or level_db >= self._caller_db - self._limits.quieter_db
