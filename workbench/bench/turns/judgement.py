"""What an agent's turns mean for the caller: cut off, run together, stuck, or answered in time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from workbench.bench.turns.corpus import TrueTurn

__all__ = ["Judgement", "judge"]


@dataclass(slots=True)
class Judgement:
    """Counts over all calls; waits are milliseconds from the end of a turn until it is taken."""

    turns: int = 0
    cut_offs: int = 0
    """The agent took the turn while the caller had not finished."""
    merged: int = 0
    """The next turn began before this one was taken: they became one."""
    stuck: int = 0
    """A last turn that was never taken."""
    waits_ms: list[int] = field(default_factory=list)

    @property
    def median_ms(self) -> float | None:
        return median(self.waits_ms) if self.waits_ms else None

    @property
    def p95_ms(self) -> float | None:
        return quantiles(self.waits_ms, n=20, method="inclusive")[-1] if self.waits_ms[1:] else None

    @property
    def cut_off_share(self) -> float:
        """Cut-offs for each turn."""
        return self.cut_offs / self.turns if self.turns else 0.0


def judge(turns: Sequence[TrueTurn], taken_ms: Iterable[int], into: Judgement) -> None:
    """Add what happened to the turns of one call."""
    taken = sorted(taken_ms)
    starts = [*(turn.start_ms for turn in turns[1:]), None]
    for turn, next_ms in zip(turns, starts, strict=True):
        into.turns += 1
        into.cut_offs += sum(turn.start_ms <= at < turn.end_ms for at in taken)
        after = next((at for at in taken if at >= turn.end_ms), None)
        if after is not None and (next_ms is None or after < next_ms):
            into.waits_ms.append(after - turn.end_ms)
        elif next_ms is None:
            into.stuck += 1
        else:
            into.merged += 1
