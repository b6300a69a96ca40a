"""The same calls held by this checkout and by another one, in turns: what a change has brought."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from workbench.bench.profile.calls import Measured, greeted, measured
from workbench.bench.profile.table import Table
from workbench.bench.profile.threads import by_name
from workbench.local.running import PROJECT
from workbench.local.workers import Places, Worker

__all__ = ["against", "against_table"]

ROUNDS = 3
WARM_SECONDS = 5.0
KINDS = {"one talks": True, "one is silent": False}
Side = Mapping[str, list[Measured]]
"""What was measured of one checkout, by kind of call."""


async def against(
    places: Places, other: Path, seconds: float, settings: Mapping[str, str]
) -> tuple[Side, Side]:
    """The other checkout's calls and this one's, ROUNDS of each kind."""
    sides: dict[str, defaultdict[str, list[Measured]]] = {}
    async with AsyncExitStack() as stack:
        workers = {}
        for name, root in (("other", other), ("this", PROJECT)):
            told = {**settings, "AGENT_NAME": name}
            worker = Worker(places, name, told, "start", program=root / "agent.py")
            workers[name] = await stack.enter_async_context(worker.taking_calls())
            sides[name] = defaultdict(list)
        for number in range(ROUNDS + 1):
            order = list(workers)[:: -1 if number % 2 else 1]  # each is as often the first
            for kind, talks in KINDS.items():
                for name in order:
                    room = f"{name} {kind} {number}"
                    print(room, flush=True)
                    async with greeted(places, workers[name], room, 1) as calls:
                        length = seconds if number else WARM_SECONDS
                        found = await measured(calls, length, talks=talks)
                    if number:
                        sides[name][kind].append(found)
    return sides["other"], sides["this"]


def against_table(other: Side, this: Side) -> Table:
    """Medians of both, and this checkout's as a share of the other's."""
    rows: list[tuple[str, ...]] = []
    for kind in this:
        for what, thread in (("all threads", ""), ("Python's threads", "python")):
            before, after = (
                median(_used(each, thread) for each in side[kind]) for side in (other, this)
            )
            rows.append(
                (f"{kind}: {what}", f"{before:.2f}", f"{after:.2f}", f"{after / before:.2f}")
            )
    heads = ("s of CPU in a minute of call", "there", "here", "here / there")
    return Table("Against another checkout", heads, rows)


def _used(measured: Measured, thread: str) -> float:
    named = by_name(measured.threads)
    return measured.per_call(named.get(thread, 0.0) if thread else sum(named.values()))
