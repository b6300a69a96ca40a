"""Runs the benchmarks one after the other. One that fails does not keep the others from running."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.caller.waiting import WaitedTooLongError
from workbench.bench.figures import Figure, read
from workbench.bench.together.benchmarks import Benchmark
from workbench.local.processes import Command, Process
from workbench.local.running import PROJECT

__all__ = ["Outcome", "run_all"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one benchmark."""

    name: str
    seconds: float
    figures: Sequence[Figure] = ()
    fault: str = ""
    """Why it failed, in a sentence; it may have figures all the same."""


async def run_all(
    benchmarks: Sequence[Benchmark], folder: Path, *, total_seconds: float
) -> AsyncIterator[Outcome]:
    """Each benchmark's outcome, as it ends. The folder keeps what they print and find."""
    ends_at = time.monotonic() + total_seconds
    for benchmark in benchmarks:
        left = ends_at - time.monotonic()
        if left <= 0:
            yield Outcome(benchmark.name, 0.0, fault="no time was left for it")
        else:
            yield await _run(benchmark, folder, min(benchmark.limit_seconds, left))


async def _run(benchmark: Benchmark, folder: Path, limit_seconds: float) -> Outcome:
    file = folder / f"{benchmark.module.rpartition('.')[2]}.json"
    file.unlink(missing_ok=True)
    command = Command(benchmark.name, benchmark.argv(file), file.with_suffix(".log"), cwd=PROJECT)
    began, fault = time.monotonic(), ""
    async with Process(command) as process:
        try:
            code = await process.wait(timeout_seconds=limit_seconds)
        except WaitedTooLongError:
            fault = f"stopped after {limit_seconds:.0f} s, which is as long as it may take"
        else:
            fault = f"ended with code {code}: {_last_words(process)}" if code else ""
    seconds = time.monotonic() - began
    found: list[Figure] = []
    with suppress(FileNotFoundError):
        try:
            found = read(file)
        except ValueError:
            fault = fault or "its figures cannot be read"
    return Outcome(benchmark.name, seconds, found, fault or ("" if found else "wrote no figures"))


def _last_words(process: Process) -> str:
    """The last line that says something, cut short."""
    lines = [line.strip() for line in process.lines if line.strip()]
    return lines[-1][:100] if lines else "it said nothing"
