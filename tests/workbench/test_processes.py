"""A process beside us is heard, missed when it dies, and ended for certain."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import psutil
import pytest

from agent.caller.waiting import WaitedTooLongError
from workbench.local.processes import Command, Process, ProcessDiedError

FOREVER = "import signal; signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True);"
    "[signal.pause() for _ in iter(int, 1)]"
)
PARENT = (
    "import subprocess, sys;"
    f"child = subprocess.Popen([sys.executable, '-c', {FOREVER!r}]);"
    "print(child.pid, flush=True); child.wait()"
)


def python(code: str, tmp_path: Path, *, grace_seconds: float = 5.0) -> Command:
    argv = [sys.executable, "-c", code]
    return Command("the tool", argv, tmp_path / "tool.log", grace_seconds=grace_seconds)


async def survivors(*pids: int) -> list[int]:
    """Those of the processes that have not ended within seconds; what is only unreaped has."""

    def look() -> list[int]:
        processes = []
        for pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    processes.append(process)
        return [each.pid for each in psutil.wait_procs(processes, 5)[1]]

    return await asyncio.to_thread(look)


async def test_a_line_that_was_waited_for_is_found_and_logged(tmp_path: Path) -> None:
    async with Process(python("print('one'); print('two'); input()", tmp_path)) as tool:
        assert await tool.wait_for_line(lambda line: "t" in line, timeout_seconds=10) == "two"
    assert (tmp_path / "tool.log").read_text().startswith("one\ntwo\n")


async def test_a_line_that_was_written_already_is_found_too(tmp_path: Path) -> None:
    async with Process(python("print('one')", tmp_path)) as tool:
        await tool.wait(timeout_seconds=10)
        assert await tool.wait_for_line(lambda line: line == "one", timeout_seconds=0) == "one"


async def test_a_process_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    async with Process(python("print('no port left'); raise SystemExit(3)", tmp_path)) as tool:
        with pytest.raises(
            ProcessDiedError, match=r"the tool ended with code 3(.|\n)*no port left"
        ):
            await tool.wait_for_line(lambda _: False, timeout_seconds=10)


async def test_a_process_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with Process(python(FOREVER, tmp_path)) as tool:
        with pytest.raises(WaitedTooLongError, match="the tool"):
            await tool.wait_for_line(lambda _: False, timeout_seconds=0.05)


async def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    async with Process(python(PARENT, tmp_path)) as tool:
        grandchild = int(await tool.wait_for_line(str.isdecimal, timeout_seconds=10))
        assert psutil.pid_exists(grandchild)
    assert await survivors(grandchild) == []


async def test_a_process_deaf_to_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    async with Process(python(DEAF, tmp_path, grace_seconds=0.1)) as tool:
        await tool.wait_for_line(lambda line: line == "up", timeout_seconds=10)
        pids = [each.pid for each in psutil.Process(tool.pid).children()]
    assert pids
    assert await survivors(*pids) == []


async def test_ctrl_c_reaches_the_command_and_not_its_supervisor(tmp_path: Path) -> None:
    code = (
        "import signal\n"
        "try: print('up', flush=True); signal.pause()\n"
        "except KeyboardInterrupt: raise SystemExit(7)"
    )
    async with Process(python(code, tmp_path)) as tool:
        await tool.wait_for_line(lambda line: line == "up", timeout_seconds=10)
        tool.signal_group(signal.SIGINT)
        assert await tool.wait(timeout_seconds=10) == 7


async def test_everything_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from workbench.local.processes import Command, Process\n"
        "async def own():\n"
        f"    command = Command('inner', [sys.executable, '-c', {PARENT!r}], Path(sys.argv[1]))\n"
        "    async with Process(command) as inner:\n"
        "        print(await inner.wait_for_line(str.isdecimal, timeout_seconds=10), flush=True)\n"
        "        await inner.ended()\n"
        "asyncio.run(own())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", owner, str(tmp_path / "inner.log"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        inner = int(await process.stdout.readline())
    command, supervisor = psutil.Process(inner).parents()[:2]
    process.kill()
    await process.wait()
    assert await survivors(inner, command.pid, supervisor.pid) == []
