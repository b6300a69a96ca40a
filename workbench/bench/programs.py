"""The worker programs that are compared: ours, and one with the stock plugin."""

from collections.abc import Mapping
from pathlib import Path

from workbench.bench.latency import stock
from workbench.local.running import PROJECT

__all__ = ["PROGRAMS"]

PROGRAMS: Mapping[str, Path] = {"ours": PROJECT / "agent.py", "stock": Path(stock.__file__)}
