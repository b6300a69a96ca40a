"""`agent.py dev` on a copy of the project, while somebody talks to the agent and a file changes."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.caller.conversation import greeting, take_turn
from agent.caller.transcript import words
from agent.livekit_private import REGISTERED_LINE
from workbench.local.calling.corpus import synthesised
from workbench.local.running import PROJECT
from workbench.local.workers import Places, Worker

QUESTION = "What is seven plus five?"


def copied(folder: Path) -> Path:
    """The program in a folder of its own, where a test may edit it."""
    for name in ("agent", "config", "stt_assemblyai"):
        left_out = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(PROJECT / name, folder / name, ignore=left_out)
    return Path(shutil.copy(PROJECT / "agent.py", folder))


async def registrations(worker: Worker, number: int) -> None:
    """Return when this many workers have registered so far."""
    seen = 0

    def is_the_last(line: str) -> bool:
        nonlocal seen
        seen += REGISTERED_LINE in line
        return seen == number

    await worker.process.wait_for_line(is_the_last, timeout_seconds=60)


async def test_a_change_reaches_new_calls_and_new_instructions_the_running_one(
    places: Places, dial: Any, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    program = copied(tmp_path)
    code, told = tmp_path / "agent/call/endings.py", tmp_path / "agent/call/instructions.md"
    settings = {"AGENT_NAME": "developed", "AGENT_INSTRUCTIONS_FILE": str(told)}
    worker = Worker(places, "developed", settings, "dev", program=program)
    async with worker.taking_calls():
        first = await dial(worker)
        await greeting(first, timeout_seconds=40)

        code.write_text("= a fault\n")
        await worker.log_line("waiting until this is mended", "endings.py")
        assert worker.process.code is None
        shutil.copy(PROJECT / "agent/call/endings.py", code)
        saved = time.monotonic()
        await worker.log_line("starting a worker with the changed file")
        noticed = time.monotonic() - saved
        await registrations(worker, 2)
        serving = time.monotonic() - saved
        figure(f"a changed file: noticed in {noticed:.2f} s, served in {serving:.1f} s")
        assert noticed < 2.0

        told.write_text("You are the keeper of the lighthouse of Skagen.")
        await worker.log_line("the agent has new instructions")
        turn = await take_turn(first, synthesised(QUESTION), timeout_seconds=40)
        assert "twelve" in words(turn.reply_text)
        asked = await places.stand_ins.received("openai/requests")
        assert "lighthouse of Skagen" in str(asked)

        second = await dial(worker)
        await greeting(second, timeout_seconds=40)
        await first.hang_up()
        await worker.log_line("a former worker has ended")
        assert worker.process.code is None
