"""`make observability`: one real call as every outlet shows it, and what they cost.

Writes docs/observability.md. Calls go in turns to a worker that keeps and sends everything and to
one that does neither; then one call, in which the language model is slow once, is shown.
"""

import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from rich.console import Console

from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from agent.records.find import call_named
from agent.viewer.write import write_page
from workbench.arguments import command, positive
from workbench.bench.observability import shown
from workbench.bench.observability.cost import Cost, rows, watching
from workbench.bench.pages import made_with, write_section
from workbench.local.browsers import VIEWER, chromium, marked
from workbench.local.calling.corpus import synthesised
from workbench.local.livekit_server import free_port
from workbench.local.running import PROJECT
from workbench.local.standins_process import stand_ins
from workbench.local.workers import Places, Worker, own_livekit
from workbench.standins.otlp_collector import Received, collector

PAGE = PROJECT / "docs" / "observability.md"
PICTURE = PROJECT / "docs" / "observability.png"
QUESTIONS = ("What is seven plus five?", "What is four plus five?")
SLOW_MS = 2000
INTRODUCTION = PAGE.read_text("utf-8").split("\n## ")[0] if PAGE.exists() else "# Observability"
WINDOW = {"width": 1000, "height": 1400}


@dataclass(frozen=True, slots=True)
class Everything:
    """A worker that keeps and sends all it can."""

    worker: Worker
    received: Received
    records: Path
    metrics_port: int


@asynccontextmanager
async def everything(places: Places, name: str, **settings: str) -> AsyncIterator[Everything]:
    """One worker with records, sound, metrics, traces."""
    records, port = places.logs / f"records of {name}", free_port()
    with collector() as received:
        told = {
            "AGENT_NAME": name,
            "AGENT_RECORD_DIR": str(records),
            "AGENT_RECORD_AUDIO": "true",
            "AGENT_METRICS_PORT": str(port),
            "OTEL_EXPORTER_OTLP_ENDPOINT": received.url,
            **settings,
        }
        async with Worker(places, name, told, "start").taking_calls() as worker:
            yield Everything(worker, received, records, port)


async def hold(places: Places, worker: Worker, room: str, *, slow: bool = False) -> list[float]:
    """Ask both questions; the wait for each answer, in ms."""
    waits = []
    async with Caller.join(places.access, room, f"caller of {room}", worker.agent_name) as caller:
        await greeting(caller, timeout_seconds=60)
        for question in QUESTIONS:
            if slow and question == QUESTIONS[-1]:
                await _slow_model(places)
            turn = await take_turn(caller, synthesised(question), timeout_seconds=30)
            assert turn.reply, turn.fault
            waits.append(1000 * (turn.reply.start_seconds - turn.spoken.end_seconds))
        await caller.hang_up()
    return waits


async def _slow_model(places: Places) -> None:
    """Its next answers begin late."""
    fault = {"endpoint": "chat", "times": 2, "delay_ms": SLOW_MS}
    async with (
        aiohttp.ClientSession(places.stand_ins.control_url) as session,
        session.post("/openai/faults", json=[fault]) as answer,
    ):
        answer.raise_for_status()


async def measured(places: Places, worker: Worker, room: str) -> Cost:
    """Hold a call, and watch its process and the main one."""
    (main,) = psutil.Process(worker.process.pid).children()
    before = sum(main.cpu_times()[:2])
    holding = asyncio.create_task(hold(places, worker, room))
    line = await worker.log_line('"call started"', f'"{room}"', timeout_seconds=60)
    async with watching(psutil.Process(json.loads(line)["pid"])) as watch:
        waits = await holding
    used = sum(main.cpu_times()[:2]) - before
    return Cost(watch.share, used / watch.seconds, watch.peak_mb, tuple(waits))


async def compared(places: Places, calls: int) -> list[str]:
    """A table of what everything costs, from calls in turns."""
    costs: dict[str, list[Cost]] = {"off": [], "on": []}
    off = Worker(places, "off", {"AGENT_NAME": "off"}, "start")
    async with off.taking_calls(), everything(places, "on") as on:
        for number in range(calls + 1):
            pair = [("off", off), ("on", on.worker)]
            for name, worker in pair[:: -1 if number % 2 else 1]:  # each is as often the first
                cost = await measured(places, worker, f"{name} {number}")
                print(name, cost, flush=True)
                if number:  # the first of each warms its worker up
                    costs[name].append(cost)
    return rows(costs["off"], costs["on"])


async def show_call(places: Places) -> dict[str, list[str]]:
    """Hold one call; the sections of the page about it."""
    async with everything(places, "shown", AGENT_LOG_FORMAT="text") as all_on:
        await hold(places, all_on.worker, "lighthouse", slow=True)
        await asyncio.to_thread(all_on.received.wait_for, "job_entrypoint", 30)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{all_on.metrics_port}/metrics") as page,
        ):
            counted = await page.text()
        lines = list(all_on.worker.process.lines)
        spans = list(all_on.received.spans)
    call = call_named("last", all_on.records)
    await _picture(
        call_page := places.logs / "call.html", write=lambda: write_page(call, call_page)
    )
    record = call.path.read_text("utf-8")
    return {
        "In the terminal": shown.fenced("text", shown.terminal(lines, "lighthouse")),
        "In the record": shown.fenced("json", shown.json_lines(record)),
        "On the metrics page": shown.fenced("text", shown.metrics(counted)),
        "As a trace": [
            "Seconds since the request for the job, duration, span, and some attributes:",
            "",
            *shown.fenced("text", shown.trace(spans)),
        ],
        "As a page": ["![The same call in the viewer](observability.png)"],
    }


async def _picture(path: Path, write: Callable[[], object]) -> None:
    """Write the page of the call, and take its picture."""
    write()
    async with chromium() as browser:
        page = await browser.new_page(viewport=WINDOW)  # type: ignore[arg-type] # a TypedDict
        await page.goto(path.as_uri())
        PICTURE.write_bytes(marked(await page.screenshot(), VIEWER))


async def run(calls: int) -> None:
    """Measure, hold the call, and write the page."""
    logs = Path(tempfile.mkdtemp(prefix="observability-"))
    print(f"The logs are in {logs}", flush=True)
    async with own_livekit(logs) as server, stand_ins(logs / "stand-ins.log") as (stood_in, _):
        places = Places(server.access, stood_in, logs)
        sections = await show_call(places)
        costs = await compared(places, calls) if calls else []
    if costs:
        sections["What it costs"] = [
            f"Records, sound, metrics and traces on, against all of them off: {calls} calls each,",
            f"in turns, against stand-ins on the same machine. {made_with()}.",
            "",
            *costs,
        ]
    for heading, lines in sections.items():
        write_section(PAGE, heading, lines, introduction=INTRODUCTION)
    Console().print(f"[b]{PAGE}[/b] is written.")


def main() -> int:
    """Parse and run."""
    parser = command("make observability", __doc__)
    parser.add_argument("--calls", type=positive, default=8)
    parser.add_argument("--only-show", action="store_true", help="measure no cost")
    chosen = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    asyncio.run(run(0 if chosen.only_show else chosen.calls))
    return 0


if __name__ == "__main__":
    sys.exit(main())
