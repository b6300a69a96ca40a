"""When an agent that is spoken over becomes softer, by its sound alone."""

import numpy as np
import numpy.typing as npt

from agent.caller.timeline import Samples

__all__ = ["softer_after_ms"]

_WINDOW_MS = 10
_BEFORE_MS = 1500
_LASTING_MS = 180
"""Longer than a pause of the stand-in's voice."""
_SOFTER_DB = 9.0
_LOUD_PERCENTILE = 80
_LONGEST_MS = 2000


def softer_after_ms(sound: Samples, sample_rate: int, at_ms: float) -> float | None:
    """From that moment until the agent is softer by 9 dB for 180 ms; None if not within 2 s.

    Softer than the loud parts of the last 1.5 s; silence is softer, too.
    """
    levels = _levels(sound, sample_rate)
    at = round(at_ms / _WINDOW_MS)
    before = levels[max(0, at - _BEFORE_MS // _WINDOW_MS) : at]
    if not before.size:
        return None
    limit = np.percentile(before, _LOUD_PERCENTILE) - _SOFTER_DB
    lasting = _LASTING_MS // _WINDOW_MS
    for first in range(at, min(at + _LONGEST_MS // _WINDOW_MS, levels.size - lasting)):
        if levels[first : first + lasting].max() < limit:
            return float((first - at) * _WINDOW_MS)
    return None


def _levels(sound: Samples, sample_rate: int) -> npt.NDArray[np.float64]:
    """Of each window, in dB below full scale."""
    size = sample_rate * _WINDOW_MS // 1000
    whole = sound.size // size
    windows = sound[: whole * size].reshape(whole, size).astype(np.float64) / 32768
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.mean(windows * windows, axis=1) + 1e-12)
    return levels
