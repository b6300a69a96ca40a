"""`make run` and `make call`, as somebody who types them meets them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from workbench.local.browsers import HEARD, firefox
from workbench.local.processes import Command, Process
from workbench.local.running import PROJECT

Program = Callable[..., AbstractAsyncContextManager[Process]]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Run `make run` or `make call` with no key set and no `.env`, beside other runs."""
    prefixes = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(prefixes) or name == "LIVEKIT_SERVER"
    }
    environment |= {
        "PYTHONPATH": str(PROJECT),
        "AGENT_INSTRUCTIONS_FILE": str(PROJECT / "agent/call/instructions.md"),
    }

    @asynccontextmanager
    async def program(name: str) -> AsyncIterator[Process]:
        argv = [sys.executable, "-m", f"workbench.local.{name}", "--state", str(tmp_path / "state")]
        log = tmp_path / f"{name}.log"
        command = Command(name, argv, log, environment, cwd=tmp_path, grace_seconds=20)
        async with Process(command) as process:
            yield process

    return program


@pytest_asyncio.fixture(loop_scope="session")
async def run(program: Program) -> AsyncIterator[Process]:
    """A `make run` that is ready."""
    async with program("run") as run:
        await run.wait_for_line(lambda line: line.startswith("Ctrl-C"), timeout_seconds=150)
        yield run


def descendants(process: Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


async def survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended within 15 s; what is dead and merely not reaped has."""

    def look() -> list[psutil.Process]:
        running = [each for each in processes if each.is_running()]
        alive = [each for each in running if each.status() != psutil.STATUS_ZOMBIE]
        return list(psutil.wait_procs(alive, 15)[1])

    return await asyncio.to_thread(look)


async def test_a_run_can_be_called_and_leaves_nothing_after_ctrl_c(
    run: Process, program: Program, tmp_path: Path
) -> None:
    said = list(run.lines)
    told = said[next(i for i, line in enumerate(said) if line.startswith("LiveKit server   ")) :]
    assert len(told) <= 10
    async with program("call") as call:
        code = await call.wait(timeout_seconds=150)
        assert code == 0, call.tail(60)
        assert "Answered       5 of 5 turns" in call.lines
    assert list((tmp_path / "calls").glob("call-*.wav"))
    family = descendants(run)
    run.signal_group(signal.SIGINT)
    assert await run.wait(timeout_seconds=40) == 0
    assert await survivors(family) == []
    assert not (tmp_path / "state" / "state.json").exists()


def page_of(run: Process) -> str:
    """The address that `make run` says."""
    line = next(line for line in run.lines if line.startswith("Talk to it"))
    return line.split()[3]


async def test_a_page_left_open_in_firefox_joins_the_next_run_again(
    program: Program, tmp_path: Path
) -> None:
    async with firefox(tmp_path / "firefox.log") as page:
        async with program("run") as run:
            await run.wait_for_line(lambda line: line.startswith("Ctrl-C"), timeout_seconds=150)
            address = page_of(run)
            await page.open(address)
            await page.evaluate("document.getElementById('start').click()")
            await page.until("document.body.dataset.agent === 'speaking'", timeout_seconds=30)
            await page.until(f"(await {HEARD}) > 0.001", timeout_seconds=10)
            await page.until("document.querySelector('li.agent')", timeout_seconds=10)
            run.signal_group(signal.SIGINT)
            assert await run.wait(timeout_seconds=40) == 0
        await page.until("document.body.dataset.phase === 'away'", timeout_seconds=40)
        async with program("run") as run:
            await run.wait_for_line(lambda line: line.startswith("Ctrl-C"), timeout_seconds=150)
            assert page_of(run) == address
            await page.until("document.body.dataset.agent === 'speaking'", timeout_seconds=30)
            assert await page.evaluate("document.getElementById('notice').textContent") == ""


async def test_a_second_run_answers_in_one_sentence_and_a_killed_one_leaves_nothing(
    run: Process, program: Program
) -> None:
    async with program("run") as second:
        assert await second.wait(timeout_seconds=40) == 1
        assert len(second.lines) == 1
        assert "already running" in second.lines[0]
    family = descendants(run)
    family[0].kill()  # what `kill -9` of `make run` does
    assert await survivors(family) == []
    async with program("call") as call:
        assert await call.wait(timeout_seconds=40) == 1
        assert "make run" in call.tail()


@pytest.mark.parametrize("part", ["livekit-server", "workbench.standins", "agent.py"])
async def test_a_part_that_dies_is_reported_and_ends_the_rest(run: Process, part: str) -> None:
    family = descendants(run)
    # `die_with_parent` has an interpreter's options, its own path, then the command's arguments.
    victim = next(each for each in family if part in " ".join(each.cmdline()[:3]))
    victim.kill()
    assert await run.wait(timeout_seconds=30) == 1
    assert any("ended with code 137" in line for line in run.lines)
    assert await survivors(family) == []


@pytest.mark.parametrize("step", ["LiveKit server", "Stand-ins"])
async def test_ctrl_c_ends_a_run_that_is_still_starting(program: Program, step: str) -> None:
    async with program("run") as run:
        await run.wait_for_line(lambda line: line.startswith(step), timeout_seconds=60)
        family = descendants(run)
        run.signal_group(signal.SIGINT)
        assert await run.wait(timeout_seconds=40) == 0
        assert await survivors(family) == []
