"""The parts of `make run`: started one after the other, and ended with the run."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from agent.playground.server import playground
from agent.viewer.served import page_of_room
from config.project import Project
from config.services import LiveKitSettings
from workbench.local.livekit_binary import find_or_build
from workbench.local.livekit_server import (
    Access,
    Doors,
    LiveKitServer,
    livekit_server,
    own_address,
)
from workbench.local.processes import Command, Process
from workbench.local.providers import Plan, worker_environment
from workbench.local.readiness import port_and_page, until_ready
from workbench.local.running import CACHE, PROJECT
from workbench.local.standins_process import StandIns, at_free_ports, stand_ins

__all__ = ["Parts", "Steps"]

_READY_SECONDS = 90.0


class Steps:
    """Says what is being done: a spinner in a terminal, a line a step elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        with self.several(what), self.part(what):
            yield

    @contextmanager
    def several(self, what: str) -> Iterator[None]:
        """A spinner for parts that start at the same time."""
        with self._console.status(f"{what} ..."):
            yield

    @contextmanager
    def part(self, what: str) -> Iterator[None]:
        """One of them."""
        started = time.monotonic()
        yield
        self.say(f"{what}: {time.monotonic() - started:.1f} s", style="dim")

    def say(self, line: str, *, style: str = "") -> None:
        """Something worth a line of its own; a terminal that was closed does not keep us."""
        with suppress(OSError):
            self._console.print(line, highlight=False, markup=False, style=style)


class Parts:
    """Starts each part until the stack is left. `directory` gets the logs.

    What cannot start raises ProcessDiedError with its last words, or WaitedTooLongError.
    """

    def __init__(self, stack: AsyncExitStack, steps: Steps, directory: Path) -> None:
        self._stack = stack
        self._steps = steps
        self._directory = directory
        self.processes: list[Process] = []
        """All that run, in the order of their start."""

    async def livekit(self, doors: Doors | None) -> tuple[LiveKitServer, Path]:
        """A LiveKit server, at the same ports as last time if they are free; and its program.

        Raises NoLiveKitServerError.
        """
        with self._steps.step("LiveKit server"):
            program = await find_or_build(CACHE, self._steps.say)
            log = self._directory / "livekit.log"
            server = await self._stack.enter_async_context(
                livekit_server(program, log, doors=doors, media_address=own_address())
            )
        self.processes.append(server.process)
        return server, program

    async def stand_ins_and_worker(
        self, chosen: Plan, values: Mapping[str, str], access: Access
    ) -> tuple[StandIns | None, Path]:
        """The worker, once it is ready for calls, and what stands in for others; returns the
        worker's log. Both take seconds to load, so they do it at the same time.
        """
        if not chosen.needs_stand_ins:
            environment = worker_environment(os.environ, access, chosen, None)
            with self._steps.several("Worker"):
                return None, await self._worker(values, environment)
        planned, options = at_free_ports()
        environment = worker_environment(os.environ, access, chosen, planned)
        loading = (self._stand_ins(chosen, options), self._worker(values, environment))
        tasks = [asyncio.create_task(each) for each in loading]
        with self._steps.several("Stand-ins and worker"):
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        return planned, self._worker_log

    async def _stand_ins(self, chosen: Plan, options: Sequence[str]) -> None:
        with self._steps.part(f"Stand-ins, for want of {chosen.missing_keys}"):
            _, process = await self._stack.enter_async_context(
                stand_ins(self._directory / "stand-ins.log", options=options)
            )
        self.processes.append(process)

    async def _worker(self, values: Mapping[str, str], environment: Mapping[str, str]) -> Path:
        with self._steps.part("Worker"):
            port, health = port_and_page(values)
            told = {**environment, "AGENT_HTTP_PORT": str(port)}
            process = await self._stack.enter_async_context(
                Process(_worker_command(told, self._worker_log))
            )
            await until_ready(process, health, timeout_seconds=_READY_SECONDS)
        self.processes.append(process)
        return self._worker_log

    @property
    def _worker_log(self) -> Path:
        return self._directory / "worker.log"

    async def page(
        self, access: Access, agent_name: str, port: int, records: Path
    ) -> tuple[str, int]:
        """The page in which to talk to the agent, where it was before if that port is free.

        `records` is the folder of the worker's records. Returns its address and its port.
        """
        livekit = LiveKitSettings.model_validate(
            {"url": access.url, "api_key": access.api_key, "api_secret": access.api_secret}
        )
        project = Project(livekit, agent_name)
        serve = partial(playground, project, records=partial(page_of_room, records))
        try:
            page = await self._stack.enter_async_context(serve(port=port))
        except OSError:
            page = await self._stack.enter_async_context(serve())
        return page, urlsplit(page).port or 0


def _worker_command(environment: dict[str, str], log: Path) -> Command:
    # Unbuffered, or its lines would come in blocks of 8 KiB.
    told = {**environment, "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, str(PROJECT / "agent.py"), "dev"]
    return Command("worker", argv, log, told, grace_seconds=8.0)
