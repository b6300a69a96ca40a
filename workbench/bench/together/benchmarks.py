"""The benchmarks of `make bench`, each in its short variant, and how long it may take."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BENCHMARKS", "TOTAL_SECONDS", "Benchmark"]

TOTAL_SECONDS = 900.0
"""Of all together, at most: what has not begun by then is not run."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One command, which takes `--json FILE`."""

    name: str
    """What it is about: the heading of its rows."""
    module: str
    arguments: Sequence[str]
    limit_seconds: float

    def argv(self, figures: Path) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-m", self.module, *self.arguments, "--json", str(figures)]


BENCHMARKS = (
    Benchmark("Talking calls", "workbench.bench.capacity", ("--quick",), 300),
    Benchmark("Six callers at once", "workbench.bench.burst", ("--quick",), 180),
    Benchmark("A worker's start", "workbench.bench.start", ("--quick",), 90),
    Benchmark("Speech stream", "workbench.bench.stt", ("--quick",), 120),
    Benchmark("Voice detector", "workbench.bench.vad", ("--quick",), 150),
    Benchmark("Answers", "workbench.bench.latency", ("--quick",), 240),
    Benchmark("Whose turn it is", "workbench.bench.talk", ("--quick",), 180),
    Benchmark("Trouble on the wire", "workbench.bench.compare", ("--quick",), 150),
    Benchmark("Chaos", "workbench.bench.chaos", ("--quick",), 240),
    Benchmark("Fuzz", "workbench.bench.fuzz", ("--quick",), 60),
)
