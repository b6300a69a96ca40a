"""`make run`: a LiveKit server, stand-ins for what has no key, and the worker, until Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from agent.caller.waiting import WaitedTooLongError
from agent.records.folder import DEVELOPERS
from agent.tasks import OwnedTask
from workbench.local import running
from workbench.local.desktop import may_open, open_page
from workbench.local.kept import keep, recall
from workbench.local.livekit_binary import NoLiveKitServerError
from workbench.local.livekit_server import Access
from workbench.local.parts import Parts, Steps
from workbench.local.processes import Process, ProcessDiedError
from workbench.local.providers import (
    Plan,
    PlanError,
    engines_missing,
    plan,
    require_right_settings,
    server_without_voice,
    settings_in_force,
)
from workbench.local.shown_turns import show_turns
from workbench.local.standins_process import StandIns


@dataclass(frozen=True, slots=True)
class Running:
    """What has been started, and where it is."""

    access: Access
    page: str
    worker_log: Path
    stood_in: StandIns | None = None
    server: Path | None = None
    """The LiveKit server's program; None if the operator's own server is used."""
    records: str = DEVELOPERS.name
    """The folder for what is kept of calls."""


def summary(chosen: Plan, started: Running) -> list[str]:
    """What runs where, what is real, what to open or type next: at most ten lines."""
    stood_in, server, worker_log = started.stood_in, started.server, started.worker_log
    livekit = f"started here ({server.name})" if server else "yours, as set"
    stt = openai = "real, with your key"
    if stood_in and not chosen.has_assemblyai_key:
        stt = f"stand-in at {stood_in.assemblyai_base_url} (no ASSEMBLYAI_API_KEY)"
    if stood_in and not chosen.has_openai_key:
        openai = f"stand-in at {stood_in.openai_base_url} (no OPENAI_API_KEY)"
    if stood_in and chosen.voiceless:
        openai += f"; but its voice a stand-in: {chosen.voiceless} has no /audio/speech"
    if worker_log.is_relative_to(running.PROJECT):
        worker_log = worker_log.relative_to(running.PROJECT)
    named = f", named {chosen.agent_name!r}" if chosen.agent_name else ""
    return [
        f"LiveKit server   real, {livekit}: {started.access.url}",
        f"AssemblyAI       {stt}",
        f"OpenAI           {openai}",
        f"Worker           python agent.py dev{named}; its log: {worker_log}",
        f"Records          of each call: {started.records}",
        "",
        f"Talk to it       {started.page} in your browser",
        "or type          make call     (in a second terminal: a spoken conversation)",
        "                 make token    (for another page, such as LiveKit's playground)",
        "Ctrl-C           ends everything",
    ]


def folder(values: Mapping[str, str]) -> str:
    """Where the worker keeps the records of calls."""
    return values.get("AGENT_RECORD_DIR", DEVELOPERS.name)


async def _planned(values: Mapping[str, str], dotenv: Path) -> Plan:
    """What is to be started. Raises PlanError, with what to change."""
    chosen = replace(plan(values), voiceless=await server_without_voice(values))
    require_right_settings(chosen, dotenv)
    if chosen.needs_stand_ins and (missing := engines_missing()):
        raise PlanError(
            f"This machine lacks the speech engines of the stand-ins ({', '.join(missing)}; there"
            f" are none for Intel Macs and old systems): set {chosen.missing_keys} in .env."
        )
    return chosen


async def run(steps: Steps, directory: Path) -> int:
    """Start everything, and keep it until cancelled, or until a part of it ends: 1.

    `directory` gets the logs, and the way for callers to find the agent.
    """
    dotenv = Path(".env")
    values = settings_in_force(os.environ, dotenv)
    chosen = await _planned(values, dotenv)
    kept = recall(directory)
    async with AsyncExitStack() as stack:
        parts = Parts(stack, steps, directory)
        access, program = chosen.livekit, None
        if access is None:
            livekit, program = await parts.livekit(kept.doors)
            access, kept = livekit.access, kept.with_doors(livekit.doors)
        stood_in, log = await parts.stand_ins_and_worker(chosen, values, access)
        reachable = running.State(
            url=access.url,
            api_key=access.api_key,
            api_secret=access.api_secret,
            agent_name=chosen.agent_name,
        )
        running.tell(reachable, directory)
        records = running.PROJECT / folder(values)
        page, page_port = await parts.page(access, chosen.agent_name, kept.page_port, records)
        for line in summary(chosen, Running(access, page, log, stood_in, program, folder(values))):
            steps.say(line)
        # At a known address a page may have been left open: it joins again by itself.
        if page_port != kept.page_port and may_open(
            os.environ, is_terminal=sys.stdout.isatty(), platform=sys.platform
        ):
            open_page(page, os.environ)
        keep(kept.model_copy(update={"page_port": page_port}), directory)
        async with OwnedTask(show_turns(log, steps.say), name="turns in the terminal"):
            return await _report_the_first_death(parts.processes, steps)


async def _report_the_first_death(parts: Sequence[Process], steps: Steps) -> int:
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
