"""Whether a series grows: the median of all slopes (Theil and Sen), which outliers do not move."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

__all__ = ["Trend", "trend"]

_Z_95 = 1.96


@dataclass(frozen=True, slots=True)
class Trend:
    """How a series went; figures are in its own unit."""

    typical: float
    """The median."""
    growth: float
    """From the beginning to the end, by the median slope."""
    least_growth: float
    """The lower end of the slope's 95 % interval: from above 0 on, it grows for certain."""
    tolerance: float

    @property
    def is_flat(self) -> bool:
        """Whether it does not certainly grow by more than the tolerance."""
        return self.least_growth <= self.tolerance


def trend(times: Sequence[float], values: Sequence[float], tolerance: float) -> Trend:
    """The trend of `values` at `times`, three at least; `tolerance` is what may grow in all."""
    slopes = sorted(
        (later - earlier) / (after - before)
        for (before, earlier), (after, later) in combinations(zip(times, values, strict=True), 2)
        if after > before
    )
    if len(values) < 3 or not slopes:
        raise ValueError("three samples are needed, at different times")
    length = max(times) - min(times)
    lowest = slopes[_rank(len(values), len(slopes))]
    return Trend(median(values), median(slopes) * length, lowest * length, tolerance)


def _rank(samples: int, slopes: int) -> int:
    """The place of the interval's lower end among the slopes, by Kendall's variance."""
    spread = _Z_95 * math.sqrt(samples * (samples - 1) * (2 * samples + 5) / 18)
    return max(0, math.floor((slopes - spread) / 2))
