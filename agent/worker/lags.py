"""How late the event loops of calls run, by what their processes report once a second."""

from collections.abc import Mapping
from typing import Any

FRESH_SECONDS = 3.0
"""A process that has told nothing for this long has ended."""


class Lags:
    """Of all processes with calls. Times are in seconds, on one clock that does not go back."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[float, int, float]] = {}

    def note(self, message: Mapping[str, Any], now: float) -> None:
        """One report (`agent.call.reports.late`)."""
        self._told[message["process"]] = (now, message["calls"], message["mean"])

    def typical(self, now: float) -> float:
        """What the call in the middle suffers: half of the calls run later than this.

        0 with less than two calls: a single one can hold up its own loop, and not the machine.
        """
        self._told = {
            process: told for process, told in self._told.items() if now - told[0] < FRESH_SECONDS
        }
        each = sorted(lag for _, calls, lag in self._told.values() for _ in range(calls))
        return each[(len(each) - 1) // 2] if len(each) > 1 else 0.0
