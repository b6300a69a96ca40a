"""Sound at another rate, always the same to the bit: the room's resampler dithers."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

__all__ = ["resampled"]

Samples = npt.NDArray[np.int16]

_LOBES = 16
"""Of the sinc on either side, at the lower of the two rates."""
_SHAPE = 8.0
"""Of the Kaiser window: what would fold back is 80 dB down."""


def resampled(sound: Samples, rate: int, wanted_rate: int) -> Samples:
    """The same mono sound at another rate, in Hz. Nothing is delayed; the length is rounded up."""
    if rate == wanted_rate or not sound.size:
        return sound
    ratio = Fraction(wanted_rate, rate)
    up, down = ratio.numerator, ratio.denominator
    reach = -(-_LOBES * max(up, down) // up)  # how many samples on either side count
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(sound.astype(np.float64), reach), 2 * reach + 1
    )
    wanted = np.zeros(-(-sound.size * up // down))
    for first in range(min(up, wanted.size)):  # every `up`th lies alike between two samples
        begin, phase = divmod(first * down, up)
        heard = windows[begin::down] @ _weights(reach, phase / up, min(1.0, up / down))
        wanted[first::up] = heard[: wanted[first::up].size]
    return np.clip(np.rint(wanted), -32768, 32767).astype(np.int16)


def _weights(reach: int, offset: float, cutoff: float) -> npt.NDArray[np.float64]:
    """Of the samples about one, for a moment that lies `offset` samples behind it."""
    distance = (np.arange(-reach, reach + 1) - offset) * cutoff
    within = np.clip(1 - (distance / _LOBES) ** 2, 0, None)
    weights = np.sinc(distance) * np.i0(_SHAPE * np.sqrt(within)) * (within > 0)
    return np.asarray(weights / weights.sum())
