"""Worker processes as an operator starts them, and what they need: LiveKit and the stand-ins."""

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from agent.caller.waiting import WaitedTooLongError
from agent.livekit_private import REGISTERED_LINE
from workbench.local.livekit_binary import find_or_build
from workbench.local.livekit_server import Access, LiveKitServer, livekit_server
from workbench.local.processes import Command, Process
from workbench.local.providers import plan, worker_environment
from workbench.local.running import CACHE, PROJECT
from workbench.local.standins_process import StandIns

GREETING = "Good morning, lighthouse. How can I help?"
_OWN = "dev --no-reload --no-records"
_ON_A_BUSY_MACHINE = {
    # A busy machine blocks event loops, which LiveKit reports with a stack.
    "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "10000",
    # Whatever else runs on this machine keeps the CPU busy, and holds calls up.
    "AGENT_MAX_CPU_PERCENT": "100",
    "AGENT_MAX_LOOP_LAG_MS": "10000",
    # An answer may take longer than callers are left in silence.
    "AGENT_FILLER_SECONDS": "0",
}
_OURS = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")


@dataclass(frozen=True, slots=True)
class Places:
    """What several workers share."""

    access: Access
    stand_ins: StandIns
    logs: Path


@asynccontextmanager
async def own_livekit(logs: Path) -> AsyncIterator[LiveKitServer]:
    """A LiveKit server until the context is left; it is built first where there is none.

    Raises NoLiveKitServerError.
    """
    program = await find_or_build(CACHE, print)
    async with livekit_server(program, logs / "livekit.log") as server:
        yield server


class Worker:
    """A worker process like any other, but for its greeting."""

    def __init__(
        self,
        places: Places,
        name: str,
        settings: Mapping[str, str],
        verb: str = "",
        *,
        program: Path = PROJECT / "agent.py",
    ) -> None:
        # A file that somebody edits must not change the worker in the middle of a call.
        verb = verb or (_OWN if program == PROJECT / "agent.py" else "dev")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(_OURS)
        }
        told = worker_environment(environment, places.access, plan({}), places.stand_ins)
        told |= {
            "PYTHONUNBUFFERED": "1",
            "AGENT_GREETING": GREETING,
            "AGENT_INSTRUCTIONS_FILE": str(PROJECT / "agent/call/instructions.md"),
            "AGENT_LOG_FORMAT": "json",
            **_ON_A_BUSY_MACHINE,
            **settings,
        }
        self.access = places.access
        self.agent_name = told.get("AGENT_NAME", "")
        # Elsewhere than in the project: a developer's `.env` is not part of this.
        self.process = Process(
            Command(
                name,
                [sys.executable, str(program), *verb.split()],
                places.logs / f"{name}.log",
                told,
                cwd=places.logs,
            )
        )

    @asynccontextmanager
    async def taking_calls(self) -> AsyncIterator[Self]:
        """Run it; when the context is entered it takes calls, and when it is left it has ended.

        Raises ProcessDiedError with its last words, or WaitedTooLongError.
        """
        async with self.process:
            await self.registered()
            yield self

    async def registered(self) -> None:
        """Return once the worker takes calls."""
        await self.log_line(REGISTERED_LINE, timeout_seconds=120)

    async def log_line(self, *parts: str, timeout_seconds: float = 20) -> str:
        """The first log line, past or future, with all of these in it."""
        return await self.process.wait_for_line(
            lambda line: all(part in line for part in parts), timeout_seconds=timeout_seconds
        )

    def terminate(self) -> None:
        """SIGTERM as a platform sends it: to the worker's first process alone."""
        for program in psutil.Process(self.process.pid).children():
            program.send_signal(signal.SIGTERM)

    async def hurry(self) -> None:
        """SIGTERM again, until the worker ends its calls."""
        while True:
            self.terminate()
            with contextlib.suppress(WaitedTooLongError):
                await self.log_line("ending the calls in progress", timeout_seconds=0.5)
                return
