"""What stops a worker, and what hurries it. Each case is a small program that is sent signals."""

import contextlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from workbench.local.running import PROJECT

HUP, INT, TERM = signal.SIGHUP, signal.SIGINT, signal.SIGTERM

PROGRAM = """
import asyncio
from agent.worker import signals

async def main():
    with signals.listening() as (stop, hurry):
        print("ready", flush=True)
        await stop.wait()
        print("stop", flush=True)
        await hurry.wait()
        print("hurry", flush=True)

signals.block()
asyncio.run(main())
"""

# These tests may themselves run under `nohup`.
SET = "import signal; signal.signal(signal.SIGHUP, signal.SIG_{})"
TRAP = {"default": SET.format("DFL"), "ignored": SET.format("IGN")}

IGNORING = """
import signal
from agent.worker import signals

signals.leave_to_the_worker()
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.raise_signal(number)
print("still here")
"""


def started(hup: str = "default") -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-c", TRAP[hup] + PROGRAM],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert heard(program) == "ready"
    return program


def heard(program: subprocess.Popen[str]) -> str:
    """The next line that it says; empty when it has ended, or has said none for too long."""
    assert program.stdout is not None
    deadline = threading.Timer(30, program.kill)
    deadline.start()
    try:
        return program.stdout.readline().strip()
    finally:
        deadline.cancel()


@pytest.mark.parametrize("number", [HUP, INT, TERM])
def test_each_of_these_stops_politely(number: signal.Signals) -> None:
    with started() as program:
        program.send_signal(number)
        assert heard(program) == "stop"
        program.kill()


@pytest.mark.parametrize("number", [INT, TERM])
def test_a_second_one_hurries_and_its_twin_and_a_closed_terminal_do_not(
    number: signal.Signals,
) -> None:
    with started() as program:
        program.send_signal(number)
        assert heard(program) == "stop"
        program.send_signal(number)
        stopped, seconds = time.monotonic(), 0.0
        while program.poll() is None and seconds < 30:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(timeout=0.05)
            seconds = time.monotonic() - stopped
            program.send_signal(HUP)
            if seconds > 0.5:
                program.send_signal(number)
        assert heard(program) == "hurry"
        assert seconds > 0.5


def test_a_worker_under_nohup_outlives_its_terminal() -> None:
    with started("ignored") as program:
        program.send_signal(HUP)
        program.send_signal(TERM)
        assert heard(program) == "stop"
        program.send_signal(HUP)
        assert program.poll() is None
        program.kill()


def test_job_processes_leave_all_of_them_to_the_worker() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IGNORING], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "still here\n"
