"""`make faults`: holds ten real calls with a planted fault each, and keeps their records.

The records and their pages go into one folder under neutral names (call-01 ... call-10), in an
order that a seed gives, and the key into another: what a reader should find in each.
"""

import asyncio
import contextlib
import json
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.caller.caller import CallEndedError, Caller
from agent.caller.conversation import greeting
from agent.caller.waiting import WaitedTooLongError
from agent.records.oddities import oddities
from agent.records.read import RecordedCall, files_in, read_calls
from agent.records.schema import Audio
from agent.viewer.write import write_page
from workbench.arguments import command
from workbench.bench.planted import hanging_tool
from workbench.bench.planted.faults import FAULTS, Planted, Scene
from workbench.local.livekit_server import free_port
from workbench.local.processes import Command, Process
from workbench.local.running import PROJECT
from workbench.local.standins_process import stand_ins
from workbench.local.workers import Places, Worker, own_livekit

BUSY_SECONDS = 14.0
GREETED_SECONDS = 60.0
Found = dict[str, str | list[str]]
"""The cause, and what the page says."""


@dataclass(frozen=True, slots=True)
class Planting:
    """Where the calls are held, and where their records go."""

    places: Places
    folder: Path

    async def plant(self, fault: Planted, name: str) -> Path:
        """Hold the call; the answer is the folder with its record."""
        async with contextlib.AsyncExitStack() as stack:
            places = self.places
            if fault.options:
                own = stand_ins(places.logs / f"{name}-stand-ins.log", options=fault.options)
                stood_in, _ = await stack.enter_async_context(own)
                places = Places(places.access, stood_in, places.logs)
            records = self.folder / name
            settings = {
                "AGENT_NAME": name,
                "AGENT_RECORD_DIR": str(records),
                "AGENT_RECORD_AUDIO": "true",
                **fault.settings,
            }
            if fault.needs == "tool":
                url = await stack.enter_async_context(_hanging_tool(places.logs))
                settings["AGENT_MCP_URL"] = url
            worker = Worker(places, name, settings)
            await stack.enter_async_context(worker.taking_calls())
            if fault.needs == "full":
                await stack.enter_async_context(_busy(places, name))
            await _hold(places, fault, name)
            await _settled(records)
        return records


async def _hold(places: Places, fault: Planted, name: str) -> None:
    """A greeting, a turn that is in order, the faulty one, and one more."""
    async with Caller.join(places.access, name, f"caller of {name}", name) as caller:
        scene = Scene(caller, places.stand_ins)
        with contextlib.suppress(CallEndedError, WaitedTooLongError):
            await greeting(caller, timeout_seconds=GREETED_SECONDS)
            await scene.ask("What is seven plus five?")
            await fault.act(scene)
            await scene.ask("What is four plus five?")


@asynccontextmanager
async def _busy(places: Places, name: str) -> AsyncIterator[None]:
    """Somebody else talks to the worker's only agent, for a while."""
    async with contextlib.AsyncExitStack() as stack:
        joining = Caller.join(places.access, f"{name}-before", "another caller", name)
        first = await stack.enter_async_context(joining)
        await greeting(first, timeout_seconds=GREETED_SECONDS)
        leaving = asyncio.create_task(_leave(stack.pop_all()))
        try:
            yield
        finally:
            await leaving


async def _leave(call: contextlib.AsyncExitStack) -> None:
    await asyncio.sleep(BUSY_SECONDS)
    await call.aclose()


@asynccontextmanager
async def _hanging_tool(logs: Path) -> AsyncIterator[str]:
    port = free_port()
    argv = [sys.executable, "-m", hanging_tool.__name__, str(port)]
    async with Process(Command("tool", argv, logs / "tool.log", cwd=PROJECT)) as process:
        await process.wait_for_line(
            lambda line: line.startswith(hanging_tool.READY), timeout_seconds=60
        )
        yield f"http://127.0.0.1:{port}/mcp"


async def _settled(records: Path) -> None:
    """Return when every record in the folder has its end; after 30 s in any case."""
    for _ in range(300):
        calls = _calls(records)
        if calls and all(call.end for call in calls):
            return
        await asyncio.sleep(0.1)


def _calls(records: Path) -> list[RecordedCall]:
    return [call for path in files_in(records) for call in read_calls(path)]


def _keep(records: Path, name: str, folder: Path) -> list[str]:
    """Copy the record, its sound and its page under a neutral name; the answer is what was odd."""
    call = next(each for each in _calls(records) if not each.first.room.endswith("-before"))
    record = folder / f"{name}.jsonl"
    shutil.copy(call.path, record)
    for line in call.every(Audio):
        shutil.copy(call.path.parent / line.file, folder / line.file)
    kept = read_calls(record)[-1]
    write_page(kept, folder / f"{name}.html")
    return [each.sentence for each in oddities(kept)]


async def run(faults: Sequence[Planted], folder: Path) -> dict[str, Found]:
    """Plant each of these faults, and keep the records; the answer is the key."""
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as made:
        logs = Path(made)
        async with own_livekit(logs) as server, stand_ins(logs / "stand-ins.log") as (stood_in, _):
            planting = Planting(Places(server.access, stood_in, logs), logs)
            for number, fault in enumerate(faults, 1):
                name = f"call-{number:02}"
                records = await planting.plant(fault, name)
                odd = _keep(records, name, folder)
                found[name] = {"cause": fault.cause, "the page says": odd}
                print(f"{name}: {fault.cause}", *odd, sep="\n    ", flush=True)
    return found


def main() -> None:
    """Parse, run, print."""
    parser = command("make faults", __doc__)
    artifacts = PROJECT / "artifacts"
    parser.add_argument("--folder", type=Path, default=artifacts / "faults", help="of the records")
    parser.add_argument("--key", type=Path, default=artifacts / "faults-key.json", help="the key")
    parser.add_argument("--seed", type=int, default=7, help="of the order")
    parser.add_argument("--only", default="", help="a word of the faults to plant")
    chosen = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    order = [fault for fault in FAULTS if chosen.only in fault.cause]
    random.Random(chosen.seed).shuffle(order)
    for folder in (chosen.folder, chosen.key.parent):
        folder.mkdir(parents=True, exist_ok=True)
    found = asyncio.run(run(order, chosen.folder))
    chosen.key.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
