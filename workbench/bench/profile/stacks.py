"""A sampler's stacks as seconds of CPU.

py-spy counts a thread that waits for a core as busy: on a busy machine each wake-up of the event
loop looks long. So stacks in a system call share the thread's system time, and all others its
user time, both as the kernel counted them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from workbench.bench.profile.threads import Thread

__all__ = ["Stack", "read_stacks", "seconds_by", "with_seconds"]

_SYSTEM_CALLS = (
    "EpollSelector.select",
    "KqueueSelector.select",
    "_SelectorSocketTransport.write",
    "_write_to_self",
    "_read_from_self",
    "Condition.wait",
    "Connection._send",
    "_sync (agent/call/history/record",
)


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that was seen `weight` times, or for so many seconds; its outermost frame first."""

    thread_id: int
    frames: tuple[str, ...]
    weight: float

    @property
    def is_in_system_call(self) -> bool:
        """Whether its innermost function does nothing but call the kernel."""
        return bool(self.frames) and any(each in self.frames[-1] for each in _SYSTEM_CALLS)


def read_stacks(raw: str) -> list[Stack]:
    """From py-spy's raw format with threads: `thread (ID): NAME;frame;frame COUNT` a line."""
    found = []
    for line in raw.splitlines():
        told, _, count = line.rpartition(" ")
        thread, *frames = told.split(";")
        thread_id = thread.partition("(")[2].partition(")")[0]
        found.append(Stack(int(thread_id), tuple(frames), float(count)))
    return found


def with_seconds(stacks: Iterable[Stack], threads: Mapping[int, Thread]) -> list[Stack]:
    """The same with seconds of CPU as weights; unknown threads' stacks are left out."""
    known = [each for each in stacks if each.thread_id in threads]
    totals: defaultdict[tuple[int, bool], float] = defaultdict(float)
    for each in known:
        totals[each.thread_id, each.is_in_system_call] += each.weight
    weighed = []
    for each in known:
        thread, kind = threads[each.thread_id], each.is_in_system_call
        both = totals[each.thread_id, True] and totals[each.thread_id, False]
        seconds = thread.system_seconds if kind else thread.user_seconds
        share = each.weight / totals[each.thread_id, kind]
        whole = seconds if both else thread.seconds
        weighed.append(Stack(each.thread_id, each.frames, whole * share))
    return weighed


def seconds_by(stacks: Iterable[Stack], name: Callable[[Stack], str]) -> dict[str, float]:
    """Seconds by what `name` says of a stack, the dearest first."""
    found: defaultdict[str, float] = defaultdict(float)
    for each in stacks:
        found[name(each)] += each.weight
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
