"""A figure and how many events it stands on."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

__all__ = ["FEWEST_EVENTS", "Rate"]

FEWEST_EVENTS = 10
"""tau-voice's leaderboard hides rates of fewer events."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share, or a mean, of some events; no value where there were none."""

    value: float | None
    events: int

    @classmethod
    def of(cls, good: int, bad: int) -> "Rate":
        """The share of the good ones."""
        return cls(good / (good + bad) if good + bad else None, good + bad)

    @classmethod
    def mean(cls, values: Sequence[float]) -> "Rate":
        """Of booleans it is the share of the true ones."""
        return cls(fmean(values) if values else None, len(values))

    @property
    def shown(self) -> float | None:
        """The value; None where it stands on too few events to be shown."""
        return self.value if self.events >= FEWEST_EVENTS else None
