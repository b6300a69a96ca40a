"""What processes use: CPU and memory of a whole tree, and how long it waited for a core."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = [
    "Usage",
    "busy",
    "cpu_seconds",
    "machine",
    "memory_mb",
    "tree",
    "usage",
    "youngest_seconds",
]

_TICKS = os.sysconf("SC_CLK_TCK")
_USER, _CHILD_SYSTEM = 14 - 3, 17 - 3
"""Of the fields of `/proc/PID/stat` behind the name: from the process's own user time to the system
time of its children that have ended."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree of processes has used until now, in seconds."""

    at: float
    """By the monotonic clock."""
    cpu: float
    """User and system time, of children that have ended as well."""
    waited: float = 0.0
    """How long its processes' main threads were ready to run, and had no core."""

    def share_since(self, before: "Usage") -> float:
        """CPU as a share of one core."""
        return (self.cpu - before.cpu) / (self.at - before.at)

    def waited_since(self, before: "Usage") -> float:
        """Waiting for a core, as a share of the time; of all its processes together."""
        return (self.waited - before.waited) / (self.at - before.at)


def tree(root: int) -> list[int]:
    """A process and everything that it started; empty if it has ended."""
    try:
        return [root, *(each.pid for each in psutil.Process(root).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(root: int) -> Mapping[int, float]:
    """User and system time of each process of a tree."""
    return {pid: _cpu_seconds(pid) for pid in tree(root)}


def usage(root: int) -> Usage:
    """Of a tree."""
    times = cpu_seconds(root)
    return Usage(time.monotonic(), sum(times.values()), sum(map(_waited_seconds, times)))


def machine() -> Usage:
    """Of everything on this machine."""
    times = psutil.cpu_times()
    cpu = times.user + times.nice + times.system + times.irq + times.softirq
    return Usage(time.monotonic(), cpu)


def busy(root: int, before: Mapping[int, float], seconds: float) -> list[int]:
    """The processes of a tree, but for its root and the root's own child, that have used more CPU
    than `seconds` since `before`, which is `cpu_seconds` of then."""
    now = cpu_seconds(root)
    return [pid for pid in list(now)[2:] if pid in before and now[pid] - before[pid] > seconds]


def memory_mb(pids: Iterable[int]) -> float:
    """The memory of processes in MB (PSS): what processes share counts once."""
    return sum(_pss_kb(pid) for pid in pids) / 1024


def youngest_seconds(root: int) -> float:
    """The age of the newest process of a tree."""
    ages = []
    for pid in tree(root):
        try:
            ages.append(time.time() - psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            continue
    return min(ages, default=0.0)


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""  # it has ended


def _cpu_seconds(pid: int) -> float:
    fields = _read(pid, "stat").rpartition(") ")[2].split()
    return sum(map(int, fields[_USER : _CHILD_SYSTEM + 1])) / _TICKS


def _waited_seconds(pid: int) -> float:
    fields = _read(pid, "schedstat").split()
    return int(fields[1]) / 1e9 if fields else 0.0


def _pss_kb(pid: int) -> int:
    found = [line for line in _read(pid, "smaps_rollup").splitlines() if line.startswith("Pss:")]
    return int(found[0].split()[1]) if found else 0
