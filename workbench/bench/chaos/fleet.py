"""Several workers of one name under one LiveKit server, and more of them as they go."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from workbench.local.livekit_server import LiveKitServer
from workbench.local.running import PROJECT
from workbench.local.standins_process import stand_ins
from workbench.local.workers import Places, Worker, own_livekit

AGENT_NAME = "chaos"


class Fleet:
    """The workers that are there at this moment."""

    def __init__(
        self,
        server: LiveKitServer,
        places: Places,
        stack: AsyncExitStack,
        settings: Mapping[str, str],
        program: Path,
    ) -> None:
        self.server = server
        self.places = places
        self.workers: list[Worker] = []
        self._stack = stack
        self._settings = settings
        self._program = program
        self._started = 0

    async def add(self) -> None:
        """Start one more worker; returns once it takes calls."""
        self._started += 1
        settings = {
            "AGENT_NAME": AGENT_NAME,
            "AGENT_RECORD_DIR": str(self.places.logs / "records"),
            "AGENT_DRAIN_SECONDS": "30",
            **self._settings,
        }
        name = f"worker {self._started}"
        worker = Worker(self.places, name, settings, "start", program=self._program)
        self.workers.append(await self._stack.enter_async_context(worker.taking_calls()))

    def jobs(self) -> list[int]:
        """The processes of the calls in progress."""
        found: dict[str, int] = {}
        for worker in self.workers:
            for line in worker.process.lines:
                if '"call started"' in line or '"call ended"' in line:
                    told = json.loads(line)
                    found.pop(told["room"], None)
                    if told["message"] == "call started":
                        found[told["room"]] = told["pid"]
        return list(found.values())


@asynccontextmanager
async def fleet(
    workers: int,
    logs: Path,
    settings: Mapping[str, str],
    program: Path = PROJECT / "agent.py",
) -> AsyncIterator[Fleet]:
    """A LiveKit server, the stand-ins and this many workers, until the context is left."""
    async with (
        own_livekit(logs) as server,
        stand_ins(logs / "stand-ins.log") as (stood_in, _),
        AsyncExitStack() as stack,
    ):
        made = Fleet(server, Places(server.access, stood_in, logs), stack, settings, program)
        for _ in range(workers):  # all at once, they would keep each other from starting
            await made.add()
        yield made
