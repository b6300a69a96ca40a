"""What the processes of each party use of the CPU, also those that end meanwhile."""

import asyncio
from collections.abc import Mapping

import psutil

SAMPLE_SECONDS = 0.5


class Costs:
    """CPU seconds of process trees, by party."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        """`roots` are the ids of the processes that each party was started by."""
        self._roots = roots
        self._used: dict[tuple[str, int], float] = {}
        self._first = self._look()

    def seconds(self) -> Mapping[str, float]:
        """What each has used since the beginning."""
        self._look()
        return {
            name: sum(
                used - self._first.get((name, pid), 0.0)
                for (party, pid), used in self._used.items()
                if party == name
            )
            for name in self._roots
        }

    async def follow(self) -> None:
        """Look until cancelled: a process that has ended can no longer be asked."""
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            self._look()

    def _look(self) -> Mapping[tuple[str, int], float]:
        for name, root in self._roots.items():
            for process in _tree(root):
                try:
                    times = process.cpu_times()
                except psutil.Error:
                    continue
                self._used[name, process.pid] = times.user + times.system
        return dict(self._used)


def _tree(root: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(root)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
