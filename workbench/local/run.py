"""`make run`: a LiveKit server, stand-ins for what has no key, and the worker, until Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from agent.caller.waiting import WaitedTooLongError
from agent.playground.server import playground
from config.project import Project
from config.services import LiveKitSettings
from workbench.local import running
from workbench.local.kept import keep, recall
from workbench.local.livekit_binary import NoLiveKitServerError, find_or_build
from workbench.local.livekit_server import Access, livekit_server, own_address
from workbench.local.processes import Command, Process, ProcessDiedError
from workbench.local.providers import (
    Plan,
    PlanError,
    engines_missing,
    plan,
    require_right_settings,
    server_without_voice,
    settings_in_force,
    worker_environment,
)
from workbench.local.readiness import port_and_page, until_ready
from workbench.local.standins_process import StandIns, stand_ins

_READY_SECONDS = 90.0


class Steps:
    """Says what is being done: a spinner in a terminal, a line a step elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        with self._console.status(f"{what} ..."):
            yield
        self.say(f"{what}: {time.monotonic() - started:.1f} s", style="dim")

    def say(self, line: str, *, style: str = "") -> None:
        """Something worth a line of its own; a terminal that was closed does not keep us."""
        with suppress(OSError):
            self._console.print(line, highlight=False, markup=False, style=style)


@dataclass(frozen=True, slots=True)
class Running:
    """What has been started, and where it is."""

    access: Access
    page: str
    worker_log: Path
    stood_in: StandIns | None = None
    server: Path | None = None
    """The LiveKit server's program; None if the operator's own server is used."""


def summary(chosen: Plan, started: Running) -> list[str]:
    """What runs where, what is real, what to open or type next: at most ten lines."""
    stood_in, server, worker_log = started.stood_in, started.server, started.worker_log
    livekit = f"started here ({server.name})" if server else "yours, as set"
    ears = mind = "real, with your key"
    if stood_in and not chosen.has_assemblyai_key:
        ears = f"stand-in at {stood_in.assemblyai_base_url} (no ASSEMBLYAI_API_KEY)"
    if stood_in and not chosen.has_openai_key:
        mind = f"stand-in at {stood_in.openai_base_url} (no OPENAI_API_KEY)"
    if stood_in and chosen.voiceless:
        mind += f"; but its voice a stand-in: {chosen.voiceless} has no /audio/speech"
    if worker_log.is_relative_to(running.PROJECT):
        worker_log = worker_log.relative_to(running.PROJECT)
    named = f", named {chosen.agent_name!r}" if chosen.agent_name else ""
    return [
        f"LiveKit server   real, {livekit}: {started.access.url}",
        f"AssemblyAI       {ears}",
        f"OpenAI           {mind}",
        f"Worker           python agent.py dev{named}; its log: {worker_log}",
        "",
        f"Talk to it       {started.page} in your browser",
        "or type          make call     (in a second terminal: a spoken conversation)",
        "                 make token    (for another page, such as LiveKit's playground)",
        "Ctrl-C           ends everything",
    ]


async def run(steps: Steps, directory: Path) -> int:
    """Start everything, and keep it until cancelled, or until a part of it ends: 1.

    `directory` gets the logs, and the way for callers to find the agent.
    """
    dotenv = Path(".env")
    values = settings_in_force(os.environ, dotenv)
    chosen = replace(plan(values), voiceless=await server_without_voice(values))
    require_right_settings(chosen, dotenv)
    if chosen.needs_stand_ins and (missing := engines_missing()):
        raise PlanError(
            f"This machine lacks the speech engines of the stand-ins ({', '.join(missing)}; there"
            f" are none for Intel Macs and old systems): set {chosen.missing_keys} in .env."
        )
    async with AsyncExitStack() as stack:
        parts: list[Process] = []
        access, server, stood_in = chosen.livekit, None, None
        kept = recall(directory)
        if access is None:
            with steps.step("LiveKit server"):
                server = await find_or_build(running.CACHE, steps.say)
                livekit = await stack.enter_async_context(
                    livekit_server(
                        server,
                        directory / "livekit.log",
                        doors=kept.doors,
                        media_address=own_address(),
                    )
                )
            kept = kept.with_doors(livekit.doors)
            access = livekit.access
            parts.append(livekit.process)
        if chosen.needs_stand_ins:
            with steps.step(f"Stand-ins, for want of {chosen.missing_keys}"):
                stood_in, process = await stack.enter_async_context(
                    stand_ins(directory / "stand-ins.log")
                )
            parts.append(process)
        with steps.step("Worker"):
            environment = worker_environment(os.environ, access, chosen, stood_in)
            port, health = port_and_page(values)
            environment["AGENT_HTTP_PORT"] = str(port)
            worker = await stack.enter_async_context(
                Process(_worker_command(environment, directory / "worker.log"))
            )
            await until_ready(worker, health, timeout_seconds=_READY_SECONDS)
        parts.append(worker)
        running.tell(
            running.State(
                url=access.url,
                api_key=access.api_key,
                api_secret=access.api_secret,
                agent_name=chosen.agent_name,
            ),
            directory,
        )
        page, page_port = await _serve_page(stack, access, chosen.agent_name, kept.page_port)
        keep(kept.model_copy(update={"page_port": page_port}), directory)
        started = Running(access, page, worker.command.log, stood_in, server)
        for line in summary(chosen, started):
            steps.say(line)
        return await _report_the_first_death(parts, steps)


async def _serve_page(
    stack: AsyncExitStack, access: Access, agent_name: str, port: int
) -> tuple[str, int]:
    """Serve the page until the stack is left, where it was before if that port is free.

    Returns its address and its port.
    """
    livekit = LiveKitSettings.model_validate(
        {"url": access.url, "api_key": access.api_key, "api_secret": access.api_secret}
    )
    project = Project(livekit, agent_name)
    try:
        page = await stack.enter_async_context(playground(project, port=port))
    except OSError:
        page = await stack.enter_async_context(playground(project))
    return page, urlsplit(page).port or 0


async def _report_the_first_death(parts: list[Process], steps: Steps) -> int:
    waits = [asyncio.create_task(part.ended()) for part in parts]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    for part in parts:
        if part.code is not None:
            steps.say(part.obituary())
    return 1


def _worker_command(environment: dict[str, str], log: Path) -> Command:
    # Unbuffered, or its lines would come in blocks of 8 KiB.
    told = {**environment, "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, str(running.PROJECT / "agent.py"), "dev"]
    return Command("worker", argv, log, told, grace_seconds=8.0)


async def _run_until_signalled(steps: Steps, directory: Path) -> int:
    """0 after a signal, which is how `make run` is meant to end; 1 after a fault."""
    task = asyncio.create_task(run(steps, directory))

    def stop() -> None:
        task.cancel()
        steps.say("Stopping ...")

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


def main() -> int:
    """Run, and turn every known fault into its sentence."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    running.add_argument(parser)
    directory = parser.parse_args().state
    steps = Steps(Console(soft_wrap=True))
    try:
        with running.only_one(directory):
            code = asyncio.run(_run_until_signalled(steps, directory))
            steps.say("Everything has ended.")
            return code
    except (
        running.AlreadyRunningError,
        NoLiveKitServerError,
        PlanError,
        ProcessDiedError,
        WaitedTooLongError,
    ) as error:
        steps.say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
