"""eot-bench: how often an end-of-turn decision cuts callers off, and how long it lets them wait.

Source: livekit/eot-bench, its README ("Evaluation Model") and `eot_harness/metrics.py`, read at
39ab20e of the copy LaurentMazare/eot-bench. Its data are not used here.

A caller's turn has silences. Behind the last one, the `eot` span, the turn was over; behind every
other, a `hold` span, it went on. A detector tells at moments of a silence how probable the end is,
a policy makes of that when the agent acts. To act in a hold span is a cutoff; to act late in an eot
span is latency, dead air.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import inf

import numpy as np

from workbench.bench.talk.spans import Span

__all__ = [
    "Outcome",
    "Policy",
    "Silence",
    "cutoffs_at",
    "judge",
    "latency_at",
    "policies",
    "silence_only",
    "silences",
    "sweep",
]

SHORTEST_SILENCE_MS = 100.0
"""Shorter gaps are no silences at all."""
SHORTEST_HOLD_MS, LONGEST_HOLD_MS = 200.0, 5000.0
"""Hold spans outside of this are not judged; eot spans always are."""
_SAME_MS = 1e-6
_SAME_SHARE = 1e-9


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence of a caller's turn, and what a detector said in it."""

    is_end: bool
    """An `eot` span; else a `hold` span."""
    duration_ms: float
    """Until the caller speaks again, or the recording ends."""
    predictions: tuple[tuple[float, float], ...] = ()
    """Milliseconds of silence so far, and the probability (0 to 1) that the turn is over; in order.
    A service that only tells of ends says 1 when it does."""

    @property
    def is_judged(self) -> bool:
        in_range = SHORTEST_HOLD_MS - _SAME_MS <= self.duration_ms <= LONGEST_HOLD_MS + _SAME_MS
        return self.is_end or in_range

    def sure_after_ms(self, threshold: float) -> float:
        """When the probability first exceeds the threshold; infinity for never."""
        return next((at_ms for at_ms, said in self.predictions if said > threshold), inf)


@dataclass(frozen=True, slots=True, order=True)
class Policy:
    """When an agent acts. Raises ValueError for a timeout before the delay."""

    threshold: float
    """The probability to be exceeded; 0 to 1."""
    action_delay_ms: float
    """Not before so much silence, however sure."""
    timeout_ms: float
    """After so much silence, however unsure."""

    def __post_init__(self) -> None:
        if self.timeout_ms < self.action_delay_ms:
            raise ValueError(f"the timeout comes before the delay: {self}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy does to callers."""

    policy: Policy
    cutoff_rate: float
    """Share of hold spans in which the agent acted; 0 to 1."""
    mean_latency_ms: float
    """Mean dead air behind the true end, until the policy acts."""
    timeout_rate: float
    """Share of eot spans that only the timeout ended."""
    holds: int
    ends: int


def silences(speech: Sequence[Span], until_ms: float) -> tuple[Silence, ...]:
    """The silences of one turn, from the spans of its speech; the last lasts `until_ms`.

    Raises ValueError where that is not behind the speech, or nothing is said.
    """
    if not speech or until_ms <= speech[-1].end_ms:
        raise ValueError("a turn is speech, and silence behind it")
    gaps = [
        Silence(is_end=False, duration_ms=after.start_ms - before.end_ms)
        for before, after in pairwise(speech)
    ]
    end = Silence(is_end=True, duration_ms=until_ms - speech[-1].end_ms)
    return (*(gap for gap in gaps if gap.duration_ms >= SHORTEST_SILENCE_MS), end)


def policies() -> list[Policy]:
    """The published grid: 101 thresholds, delays of 0.2 to 1.0 s, timeouts of 1.0 to 3.5 s."""
    return [
        Policy(hundredths / 100, delay_ms, timeout_ms)
        for hundredths in range(101)
        for delay_ms in range(200, 1001, 100)
        for timeout_ms in range(1000, 3501, 500)
    ]


def judge(heard: Iterable[Silence], policy: Policy) -> Outcome:
    """One policy. Raises ValueError unless there are both hold and eot spans to judge."""
    [outcome] = sweep(heard, [policy])
    return outcome


def sweep(heard: Iterable[Silence], tried: Iterable[Policy] | None = None) -> list[Outcome]:
    """Every policy over the same silences. Raises ValueError as `judge` does."""
    judged = [each for each in heard if each.is_judged]
    holds = [each for each in judged if not each.is_end]
    ends = [each for each in judged if each.is_end]
    if not holds or not ends:
        raise ValueError("there must be both hold and eot spans")
    lasted = np.array([each.duration_ms for each in holds])
    outcomes = []
    by_threshold = groupby(
        sorted(policies() if tried is None else tried), key=lambda each: each.threshold
    )
    for threshold, group in by_threshold:
        sure_in_holds = np.array([each.sure_after_ms(threshold) for each in holds])
        sure_at_ends = np.array([each.sure_after_ms(threshold) for each in ends])
        for policy in group:
            acts = np.minimum(np.maximum(sure_in_holds, policy.action_delay_ms), policy.timeout_ms)
            sure = np.maximum(sure_at_ends, policy.action_delay_ms)
            outcomes.append(
                Outcome(
                    policy,
                    cutoff_rate=float(np.mean(lasted > acts + _SAME_MS)),
                    mean_latency_ms=float(np.mean(np.minimum(sure, policy.timeout_ms))),
                    timeout_rate=float(np.mean(sure > policy.timeout_ms + _SAME_MS)),
                    holds=len(holds),
                    ends=len(ends),
                )
            )
    return outcomes


def silence_only(heard: Iterable[Silence]) -> list[Outcome]:
    """The baseline that hears nothing but silence: it acts after a delay of the grid, always."""
    grid = policies()
    delays_ms = {each.action_delay_ms for each in grid} | {each.timeout_ms for each in grid}
    return sweep(heard, [Policy(1.0, each, each) for each in delays_ms])


def cutoffs_at(outcomes: Iterable[Outcome], latency_ms: float) -> Outcome | None:
    """The fewest cutoffs within a budget of mean latency (the leaderboard's are 300 and 600 ms).

    None where no policy is as quick as that.
    """
    return min(
        (each for each in outcomes if each.mean_latency_ms <= latency_ms + _SAME_MS),
        key=lambda each: (each.cutoff_rate, each.mean_latency_ms, *_preference(each.policy)),
        default=None,
    )


def latency_at(outcomes: Iterable[Outcome], cutoff_rate: float) -> Outcome | None:
    """The shortest mean latency within a budget of cutoffs (the leaderboard's are 0.05 and 0.10).

    None where every policy cuts more callers off.
    """
    return min(
        (each for each in outcomes if each.cutoff_rate <= cutoff_rate + _SAME_SHARE),
        key=lambda each: (each.mean_latency_ms, each.cutoff_rate, *_preference(each.policy)),
        default=None,
    )


def _preference(policy: Policy) -> tuple[float, float, float]:
    """Of policies that do the same to callers: the surest, then the quickest."""
    return (-policy.threshold, policy.action_delay_ms, policy.timeout_ms)
