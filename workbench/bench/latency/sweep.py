"""How the advantage moves: the same turns with one delay changed at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.bench.latency.contestants import Contestant
from workbench.bench.latency.dialogue import Line
from workbench.bench.latency.measurement import Summary
from workbench.bench.latency.process import measure_in_process
from workbench.bench.latency.providers import Delays

__all__ = ["CASES", "sweep"]

CASES: Mapping[str, Mapping[str, int | None]] = {
    "as stated": {},
    "fast LLM, first token after 100 ms": {"first_token_ms": 100},
    "slow LLM, first token after 900 ms": {"first_token_ms": 900},
    "formatted twin at once": {"twin_ms": 0},
    "formatted twin 400 ms later": {"twin_ms": 400},
    "no formatted twin": {"twin_ms": None},
    "transcripts up to 200 ms late by chance": {"jitter_ms": 200},
    "20 ms between the LLM's tokens": {"token_ms": 20},
}
_AT_ONCE = 3


async def sweep(
    contestants: Sequence[Contestant],
    lines: Sequence[Line],
    delays: Delays,
    slot_seconds: float,
) -> Mapping[str, Mapping[str, Summary]]:
    """Every case of `CASES`, some at a time, for all contestants."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def measure(changes: Mapping[str, int | None]) -> Mapping[str, Summary]:
        async with places:
            changed = replace(delays, **changes)  # type: ignore[arg-type] # names of its fields
            return await measure_in_process(contestants, lines, changed, slot_seconds)

    async with asyncio.TaskGroup() as group:
        runs = {name: group.create_task(measure(changes)) for name, changes in CASES.items()}
    return {name: run.result() for name, run in runs.items()}
