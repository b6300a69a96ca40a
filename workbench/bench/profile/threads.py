"""What each thread of a process has used of the CPU, as the kernel counts it."""

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Thread", "by_name", "read_threads", "used_between"]

_TICKS = os.sysconf("SC_CLK_TCK")
_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread: the name that it gave itself, and its seconds of CPU so far."""

    name: str
    user_seconds: float
    system_seconds: float

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.user_seconds + self.system_seconds


def read_threads(pid: int, proc: Path = Path("/proc")) -> dict[int, Thread]:
    """All threads of a process by id; those that end meanwhile are left out.

    Raises FileNotFoundError if the process has ended.
    """
    found = {}
    for task in (proc / str(pid) / "task").iterdir():
        try:
            found[int(task.name)] = _thread(task)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _thread(task: Path) -> Thread:
    name = (task / "comm").read_text("utf-8").strip()
    fields = (task / "stat").read_text("utf-8").rpartition(")")[2].split()
    user, system = (int(each) / _TICKS for each in fields[11:13])
    exact = _exact_seconds(task)
    if exact and user + system:
        return Thread(name, exact * user / (user + system), exact * system / (user + system))
    return Thread(name, exact or user, 0.0 if exact else system)


def _exact_seconds(task: Path) -> float:
    """By the scheduler, to the nanosecond; 0 where the kernel does not keep it."""
    try:
        return int((task / "schedstat").read_text("ascii").split()[0]) / _NANOSECONDS
    except (FileNotFoundError, IndexError):
        return 0.0


def used_between(before: Mapping[int, Thread], after: Mapping[int, Thread]) -> dict[int, Thread]:
    """What each thread used meanwhile; one that is not in `before` began with nothing."""
    none = Thread("", 0.0, 0.0)
    used = {}
    for each, thread in after.items():
        start = before.get(each, none)
        used[each] = Thread(
            thread.name,
            max(0.0, thread.user_seconds - start.user_seconds),
            max(0.0, thread.system_seconds - start.system_seconds),
        )
    return used


def by_name(threads: Mapping[int, Thread]) -> dict[str, float]:
    """Seconds by name, the dearest first; a number at a name's end does not tell threads apart."""
    found: defaultdict[str, float] = defaultdict(float)
    for each in threads.values():
        found[each.name.rstrip("0123456789 ") or each.name] += each.seconds
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
