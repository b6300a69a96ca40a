"""The turn-taking score of EVA-Bench: how well timed each turn of a conversation was.

Source: ServiceNow/eva at 997ae97, `docs/metrics/turn_taking.md`, and for the edges of its curves
`src/eva/metrics/experience/turn_taking.py`. Its fallback nudges are left out: ours never nudges.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from math import inf
from statistics import fmean

from workbench.bench.talk.rates import Rate
from workbench.bench.talk.spans import Conversation, Span, Stimulus

__all__ = [
    "Judged",
    "Timing",
    "Turn",
    "cut_in_count_score",
    "judge",
    "latency_score",
    "overlap_score",
    "timing",
    "turn_taking",
    "yield_score",
]

_EARLIEST_MS, _BEST_FROM_MS = -500.0, 500.0
_BEST_TO_MS, _LATEST_MS = 2000.0, 3500.0
_BEST_TO_WITH_TOOL_MS, _LATEST_WITH_TOOL_MS = 3000.0, 5000.0
_EARLY_MS = 200.0
_LATE_MS, _LATE_WITH_TOOL_MS = 2750.0, 4000.0
_LONGEST_YIELD_MS = 2000.0
_LONGEST_OVERLAP_MS = 2000.0
_BEST_CUT_IN = 0.5
_MOST_CUT_INS = 3
_LEAST_OVERLAP_MS = 1.0


class Timing(StrEnum):
    """How an answer's latency is named; the score is continuous and knows nothing of it."""

    EARLY = "early"
    ON_TIME = "on time"
    LATE = "late"


def latency_score(latency_ms: float, *, with_tool: bool = False) -> float:
    """0 up to -500 ms, rising to 1 at 500 ms; from 2000 ms falling to 0 at 3500 ms.

    With a tool call it falls from 3000 ms to 5000 ms. The result lies within 0 and 1.
    """
    best_to_ms = _BEST_TO_WITH_TOOL_MS if with_tool else _BEST_TO_MS
    latest_ms = _LATEST_WITH_TOOL_MS if with_tool else _LATEST_MS
    rising = (latency_ms - _EARLIEST_MS) / (_BEST_FROM_MS - _EARLIEST_MS)
    falling = (latest_ms - latency_ms) / (latest_ms - best_to_ms)
    return max(0.0, min(rising, falling, 1.0))


def yield_score(yield_ms: float) -> float:
    """1 for an agent that stops at once, falling to 0 at 2000 ms of speaking on."""
    return max(0.0, 1.0 - yield_ms / _LONGEST_YIELD_MS)


def overlap_score(overlap_ms: float) -> float:
    """Of an agent that cut in: 0.5 at best, falling to 0 at 2000 ms of both speaking."""
    return max(0.0, _BEST_CUT_IN * (1.0 - overlap_ms / _LONGEST_OVERLAP_MS))


def cut_in_count_score(cut_ins: int) -> float:
    """0.5 for one stretch of the agent over the caller's turn, 0.25 for two, 0 for more.

    Raises ValueError for less than one.
    """
    if cut_ins < 1:
        raise ValueError("an agent that did not cut in has no score for how often it did")
    return max(0.0, _BEST_CUT_IN * (1.0 - (cut_ins - 1) / (_MOST_CUT_INS - 1)))


def timing(latency_ms: float, *, with_tool: bool = False) -> Timing:
    """Early below 200 ms, late from 2750 ms, with a tool call from 4000 ms."""
    if latency_ms < _EARLY_MS:
        return Timing.EARLY
    late_ms = _LATE_WITH_TOOL_MS if with_tool else _LATE_MS
    return Timing.LATE if latency_ms >= late_ms else Timing.ON_TIME


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller said until the agent spoke, and what the agent said until the next turn."""

    caller: tuple[Span, ...]
    agent: tuple[Span, ...]
    before: Span | None
    """The last that the agent had begun to say before the turn."""
    with_tool: bool = False

    @property
    def latency_ms(self) -> float:
        """From the caller's last sound to the agent's first. Raises IndexError if unanswered."""
        return self.agent[0].start_ms - self.caller[-1].end_ms

    @property
    def yield_ms(self) -> float | None:
        """How long the agent spoke on; None if it was silent when the turn began."""
        start_ms = self.caller[0].start_ms
        if self.before is None or self.before.end_ms <= start_ms:
            return None
        return self.before.end_ms - start_ms

    @property
    def is_cut_in(self) -> bool:
        """Whether the agent began while the caller was speaking."""
        return any(
            said.start_ms <= mine.start_ms < said.end_ms
            for mine in self.agent
            for said in self.caller
        )

    @property
    def score(self) -> float:
        """The worse of how the agent cut in and how it yielded; else how soon it answered."""
        scores = [*self._cut_in_scores()]
        if self.yield_ms is not None:
            scores.append(yield_score(self.yield_ms))
        return min(scores or [latency_score(self.latency_ms, with_tool=self.with_tool)])

    def _cut_in_scores(self) -> Iterable[float]:
        if not self.is_cut_in:
            return
        overlaps = [[said.overlap_ms(mine) for said in self.caller] for mine in self.agent]
        yield overlap_score(sum(map(sum, overlaps)))
        cut_ins = sum(max(each) > _LEAST_OVERLAP_MS for each in overlaps)
        if cut_ins:
            yield cut_in_count_score(cut_ins)
        settled_ms = self._settled_after_ms()
        if settled_ms is not None:
            yield latency_score(settled_ms, with_tool=self.with_tool)

    def _settled_after_ms(self) -> float | None:
        """From the caller's end to what the agent says next; None if it speaks on, or not again."""
        end_ms = self.caller[-1].end_ms
        if any(mine.start_ms <= end_ms < mine.end_ms for mine in self.agent):
            return None
        return min(
            (mine.start_ms - end_ms for mine in self.agent if mine.start_ms > end_ms), default=None
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """One conversation."""

    turns: tuple[Turn, ...]
    """The answered ones."""
    is_last_unanswered: bool

    @property
    def score(self) -> float:
        """Mean of the turns; 0 if none was answered, or the last was not."""
        if self.is_last_unanswered or not self.turns:
            return 0.0
        return fmean(turn.score for turn in self.turns)

    def share(self, named: Timing) -> Rate:
        """How many answers came early, on time or late."""
        return Rate.mean(
            [timing(each.latency_ms, with_tool=each.with_tool) is named for each in self.turns]
        )


def judge(conversation: Conversation) -> Judged:
    """Put the conversation together from turns: one ends when the caller speaks after the agent."""
    rows = _said_in_a_row(conversation)
    turns = [
        _turn(said, following[0].span.start_ms if following else inf, conversation.agent_speech)
        for said, following in zip_longest(rows, rows[1:])
    ]
    return Judged(tuple(turn for turn in turns if turn.agent), bool(turns) and not turns[-1].agent)


def turn_taking(conversations: Iterable[Conversation]) -> Rate:
    """Mean score of the conversations in which a caller took a turn; the events are the turns."""
    judged = [judge(each) for each in conversations if each.turns]
    turns = sum(len(each.turns) + each.is_last_unanswered for each in judged)
    return Rate(fmean(each.score for each in judged) if judged else None, turns)


def _said_in_a_row(conversation: Conversation) -> list[list[Stimulus]]:
    rows: list[list[Stimulus]] = []
    for said in conversation.turns:
        if rows and not any(
            rows[-1][0].span.start_ms <= mine.start_ms < said.span.start_ms
            for mine in conversation.agent_speech
        ):
            rows[-1].append(said)
        else:
            rows.append([said])
    return rows


def _turn(said: list[Stimulus], until_ms: float, speech: tuple[Span, ...]) -> Turn:
    start_ms = said[0].span.start_ms
    earlier = [span for span in speech if span.start_ms < start_ms]
    return Turn(
        caller=tuple(each.span for each in said),
        agent=tuple(span for span in speech if start_ms <= span.start_ms < until_ms),
        before=earlier[-1] if earlier else None,
        with_tool=any(each.needs_tool for each in said),
    )
