"""What a worker and its job processes import: Python's own account, `-X importtime`, by package."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Imports", "imports_in"]

_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_DEEPER = ("livekit", "google", "opentelemetry")


@dataclass(frozen=True, slots=True)
class Imports:
    """All imports of some log lines."""

    modules: int
    seconds: float
    by_package: dict[str, float]
    """Seconds by top package (two names deep for those that share one), the dearest first."""


def imports_in(lines: Iterable[str]) -> Imports:
    """Those that Python writes with PYTHONPROFILEIMPORTTIME; other lines are passed over."""
    found: Counter[str] = Counter()
    modules = 0
    for line in lines:
        if told := _LINE.match(line):
            names = told[2].split(".")
            found[".".join(names[: 2 if names[0] in _DEEPER else 1])] += int(told[1])
            modules += 1
    in_seconds = {name: spent / 1e6 for name, spent in found.most_common()}
    return Imports(modules, sum(in_seconds.values()), in_seconds)
