"""How far a ratio of two medians may be off: a bootstrap over turns, the same for every run."""

from collections.abc import Sequence

import numpy as np

__all__ = ["ratio_interval"]

_DRAWS = 2000
_OUTER_PERCENT = 5
_SEED = 1


def ratio_interval(
    mine: Sequence[float | None], base: Sequence[float | None]
) -> tuple[float, float] | None:
    """Between what, with 90 % of the draws, the ratio of the medians lies.

    Turn by turn, in the same order: a draw takes a turn of both. None stands for no reply; the
    answer is None where one of them has fewer than two replies. Raises ValueError for unequal
    lengths.
    """
    if len(mine) != len(base):
        raise ValueError("the turns are not the same")
    if min(sum(each is not None for each in side) for side in (mine, base)) < 2:
        return None
    both = np.array([mine, base], dtype=float)
    chosen = np.random.default_rng(_SEED).integers(0, len(mine), (_DRAWS, len(mine)))
    drawn = both[:, chosen]
    kept = drawn[:, ~np.isnan(drawn).all(axis=2).any(axis=0)]
    medians = np.nanmedian(kept, axis=2)
    low, high = np.percentile(medians[0] / medians[1], [_OUTER_PERCENT, 100 - _OUTER_PERCENT])
    return float(low), float(high)
