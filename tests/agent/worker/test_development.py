"""The developer's loop, with small programs as its workers."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.local.running import PROJECT

pytestmark = pytest.mark.slow

LATER = 600
SUPERVISOR = """
import asyncio, logging, sys
from pathlib import Path
from agent.worker import signals
from agent.worker.changes import Watched
from agent.worker import development
from agent.worker.development import develop

development.SPARE_SECONDS = {seconds}
signals.block()
shown = logging.StreamHandler(sys.stdout)
shown.setFormatter(logging.Formatter("%(message)s %(fault)s", defaults={"fault": ""}))
logging.basicConfig(level="INFO", handlers=[shown])
here = Path.cwd()
watched = Watched(here, here / ".env", here / "agent/told.md", here / "agent/words")
command = [sys.executable, str(here / "agent.py")]
raise SystemExit(asyncio.run(develop(command, watched)))
"""

# It takes its calls for over when it has been retired and told so by a file.
WORKER = """
import asyncio, os, signal, sys
sys.path.insert(0, {project!r})
from agent.worker.development import retired
VERSION = {version}
async def main():
    print("serving", VERSION, "livekit.plugins.silero" in sys.modules, flush=True)
    await retired()
    print("retired", VERSION, flush=True)
    await asyncio.to_thread(open, "calls-are-over", "rb", 0)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, signal.SIGINT])
asyncio.run(main())
"""


class House:
    """A small project in a folder of its own, and the supervisor that runs it."""

    def __init__(self, folder: Path, spare_seconds: float = LATER) -> None:
        self.folder = folder
        self.spare_seconds = spare_seconds
        (folder / "agent/words").mkdir(parents=True)
        os.mkfifo(folder / "calls-are-over")
        self.write("1")
        self.program: subprocess.Popen[str]

    def write(self, version: str) -> None:
        """The worker's code. A version that is no expression is a fault of syntax or of a name."""
        code = WORKER.format(project=str(PROJECT), version=version)
        written = self.folder / "new.txt"
        written.write_text(code)
        written.replace(self.folder / "agent.py")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR.replace("{seconds}", str(self.spare_seconds))],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONSAFEPATH": "1"},
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as self.program:
            try:
                yield
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.program.pid, signal.SIGKILL)

    def says(self, words: str) -> None:
        """Read until a line begins so. Fails if the program ends before it."""
        assert self.program.stdout
        seen: list[str] = []
        for line in self.program.stdout:
            seen.append(line)
            if line.startswith(words):
                return
        pytest.fail(f"no line begins with {words!r}: {seen}")

    def end_calls(self) -> None:
        (self.folder / "calls-are-over").write_bytes(b"")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    with house.running():
        house.says("serving 1")
        yield house


def test_the_new_code_serves_while_calls_end_with_the_former(house: House) -> None:
    house.write("2")
    house.says("starting a worker with the changed file")
    house.says("serving 2")
    house.end_calls()
    house.says("a former worker has ended, with its last call")


def test_a_spare_worker_that_has_all_but_our_code_takes_over(tmp_path: Path) -> None:
    house = House(tmp_path, spare_seconds=0)
    with house.running():
        house.says("serving 1 False")
        house.write("2")
        house.says("serving 2 True")
        house.write("3")
        house.says("serving 3 True")
        house.program.terminate()
        assert house.program.wait() == 0


def test_files_that_are_saved_together_take_one_new_worker(house: House) -> None:
    for name in ("one.py", "two.py"):
        (house.folder / "agent" / name).write_text("")
    house.write("2")
    house.says("serving 2")
    house.program.terminate()
    assert house.program.stdout
    said = house.program.stdout.read()
    assert "starting a worker" not in said
    assert "serving" not in said


def test_a_log_in_the_watched_folder_keeps_no_change_waiting(house: House) -> None:
    with (house.folder / "dev.log").open("wb", buffering=0) as log:
        house.write("2")
        assert house.program.stdout
        for line in house.program.stdout:
            log.write(line.encode())
            if line.startswith("serving 2"):
                break


def test_a_syntax_error_is_shown_and_the_worker_goes_on_until_it_is_mended(house: House) -> None:
    house.write("= 2")
    house.says("waiting until this is mended agent.py: invalid syntax (agent.py, line 5)")
    assert house.program.poll() is None
    house.write("3")
    house.says("serving 3")


def test_code_that_fails_is_waited_out(house: House) -> None:
    house.write("unknown_name")
    house.says("no worker runs: waiting for a changed file")
    house.write("4")
    house.says("serving 4")


def test_instructions_start_no_worker(house: House) -> None:
    (house.folder / "agent/told.md").write_text("Be brief.")
    house.says("calls go by the changed file at their next turn")
    house.write("2")
    house.says("serving 2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_worker(house: House, number: signal.Signals) -> None:
    house.write("2")
    house.says("serving 2")
    house.program.send_signal(number)
    assert house.program.stdout
    house.program.stdout.read()  # to its end: each worker has let go of it
    assert house.program.wait(20) == 0


def test_workers_retire_when_their_supervisor_is_killed(house: House) -> None:
    house.program.kill()
    house.says("retired 1")


@pytest.mark.parametrize(("ending", "code"), [("3", 3), ("'a reason'", 1)])
def test_a_worker_that_ends_by_itself_at_once_ends_the_loop(
    tmp_path: Path, ending: str, code: int
) -> None:
    house = House(tmp_path)
    (tmp_path / "agent.py").write_text(f"raise SystemExit({ending})")
    with house.running():
        assert house.program.wait(30) == code


def test_faulty_code_at_the_start_is_waited_out(tmp_path: Path) -> None:
    house = House(tmp_path)
    (tmp_path / "agent.py").write_text("raise SystemExit(70)")
    with house.running():
        house.says("no worker runs: waiting for a changed file")
        house.write("2")
        house.says("serving 2")
