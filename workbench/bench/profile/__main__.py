"""`make profile`: where the CPU of a call goes, through a real LiveKit server.

By thread (the kernel's count) and by Python function (py-spy, which has to be allowed to look into
other processes) while one call talks, while it is silent, and while several talk; how often its
event loop is woken, and by what; and the start. Writes docs/performance.md with --write.
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console

from workbench.arguments import checkout, command, positive
from workbench.bench.pages import made_with, markdown_table, terminal_table, write_section
from workbench.bench.profile import inside, table
from workbench.bench.profile.against import against, against_table
from workbench.bench.profile.calls import Measured, counted, greeted, measured
from workbench.bench.profile.counts import per_second
from workbench.bench.profile.imports import Imports, imports_in
from workbench.bench.profile.sampler import NoSamplerError
from workbench.bench.profile.table import Table
from workbench.local.running import PROJECT
from workbench.local.standins_process import stand_ins
from workbench.local.workers import Places, Worker, own_livekit

PAGE = PROJECT / "docs" / "performance.md"
# What would end a call in which the caller is silent; and LiveKit's monitor as the worker sets it.
SETTINGS = {"AGENT_SILENCE_SECONDS": "600", "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "250"}
WARM_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """How long each measurement takes, and how many calls are held at once; or another checkout."""

    seconds: int
    calls: int
    against: Path | None


async def profiled(places: Places, chosen: Chosen) -> dict[str, Measured]:
    """One call that talks, one that is silent, and several that talk."""
    told = {**SETTINGS, "AGENT_NAME": "profiled", "AGENT_MAX_CALLS": str(chosen.calls + 2)}
    found: dict[str, Measured] = {}
    async with Worker(places, "profiled", told, "start").taking_calls() as worker:
        async with greeted(places, worker, "warm", 1) as calls:
            await measured(calls, WARM_SECONDS, talks=True)
        kinds = [("one talks", 1, True), ("one is silent", 1, False)]
        if chosen.calls > 1:
            kinds.append((f"{chosen.calls} talk, each", chosen.calls, True))
        for kind, count, talks in kinds:
            print(f"{kind}: {chosen.seconds} s", flush=True)
            stacks = places.logs / f"{kind}.stacks.txt"
            async with greeted(places, worker, kind, count) as calls:
                found[kind] = await measured(calls, chosen.seconds, talks=talks, stacks=stacks)
    return found


async def counting(places: Places, chosen: Chosen) -> list[Table]:
    """Callbacks and FFI events of a call that talks and of one that is silent."""
    folder = places.logs / "counts"
    folder.mkdir()
    told = {
        **SETTINGS,
        "AGENT_NAME": "counted",
        "PROFILE_COUNTS": str(folder),
        "PYTHONPATH": f"{Path(inside.__path__[0])}:{PROJECT}",
    }
    callbacks: dict[str, Mapping[str, float]] = {}
    events: dict[str, Mapping[str, float]] = {}
    async with Worker(places, "counted", told, "start").taking_calls() as worker:
        for kind, talks in (("one talks", True), ("one is silent", False)):
            print(f"{kind}, counted: {chosen.seconds} s", flush=True)
            async with greeted(places, worker, f"{kind} counted", 1) as (call,):
                before, after = await counted(call, folder, chosen.seconds, talks=talks)
                callbacks[kind], events[kind] = per_second(before, after)
    return [
        table.counts_table("What the event loop runs", callbacks),
        table.counts_table("FFI events and requests", events),
    ]


async def starting(places: Places) -> dict[str, tuple[Imports, float]]:
    """What the worker imports until it takes calls, and a job process until it has greeted."""
    told = {**SETTINGS, "AGENT_NAME": "started", "PYTHONPROFILEIMPORTTIME": "1"}
    async with Worker(places, "started", told, "start").taking_calls() as worker:
        (main,) = psutil.Process(worker.process.pid).children()
        lines = list(worker.process.lines)
        found = {"worker": (imports_in(lines), _cpu(main.pid))}
        async with greeted(places, worker, "started", 1) as (call,):
            later = list(worker.process.lines)[len(lines) :]
            found["job, with its greeting"] = (imports_in(later), _cpu(call.pid))
    return found


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def run(chosen: Chosen) -> list[Table]:
    """Measure, and return the tables."""
    logs = Path(tempfile.mkdtemp(prefix="profile-"))
    print(f"Logs, and stacks as a flame graph's program reads them, are in {logs}", flush=True)
    async with own_livekit(logs) as server, stand_ins(logs / "stand-ins.log") as (stood_in, _):
        places = Places(server.access, stood_in, logs)
        if chosen.against:
            return [against_table(*await against(places, chosen.against, chosen.seconds, SETTINGS))]
        found = await profiled(places, chosen)
        counts = await counting(places, chosen)
        starts = await starting(places)
    return [
        table.threads_table(found),
        table.groups_table(found),
        table.functions_table(found["one talks"]),
        *counts,
        table.starts_table(starts),
    ]


def main() -> int:
    """Parse, run, print, and write the page where asked."""
    parser = command("make profile", __doc__)
    parser.add_argument("--seconds", type=positive, default=60, help="of each measurement")
    parser.add_argument("--calls", type=positive, default=6, help="at once, in the third")
    parser.add_argument(
        "--against",
        type=checkout,
        metavar="FOLDER",
        help="of another checkout: calls in turns by both",
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    chosen = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    try:
        tables = asyncio.run(run(Chosen(chosen.seconds, chosen.calls, chosen.against)))
    except NoSamplerError as error:
        print(error, file=sys.stderr)
        return 1
    for each in tables:
        Console(width=110).print(terminal_table(each.title, each.heads, each.rows))
    if chosen.write:
        introduction = PAGE.read_text("utf-8").split("\n## ")[0]
        for each in tables:
            lines = [f"{made_with()}.", "", *markdown_table(each.heads, each.rows)]
            write_section(PAGE, each.title, lines, introduction=introduction)
    return 0


if __name__ == "__main__":
    sys.exit(main())
