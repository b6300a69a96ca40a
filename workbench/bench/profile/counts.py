"""How often a call's event loop is woken, and by what, as the call's own process counts it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Counts", "per_second", "read_counts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted until a moment of the monotonic clock."""

    at_seconds: float
    callbacks: Mapping[str, int]
    events: Mapping[str, int]


def read_counts(folder: Path, pid: int) -> Counts:
    """The newest of a process. Raises FileNotFoundError before it has written any."""
    told: dict[str, Any] = json.loads((folder / f"{pid}.json").read_text("utf-8"))
    return Counts(told["at"], told["callbacks"], told["events"])


def per_second(before: Counts, after: Counts) -> tuple[dict[str, float], dict[str, float]]:
    """Callbacks and FFI events a second, the most frequent first."""
    seconds = after.at_seconds - before.at_seconds
    if seconds <= 0:
        raise ValueError("the later counts are not later")
    return (
        _rates(before.callbacks, after.callbacks, seconds),
        _rates(before.events, after.events, seconds),
    )


def _rates(before: Mapping[str, int], after: Mapping[str, int], seconds: float) -> dict[str, float]:
    rates = {each: (count - before.get(each, 0)) / seconds for each, count in after.items()}
    return dict(sorted(rates.items(), key=lambda pair: -pair[1]))
