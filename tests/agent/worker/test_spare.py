"""A worker that waits for changed code: it has all but ours, and runs the program as it is then."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from agent.worker import spare

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
ours = [name for name in sys.modules if name.partition(".")[0] in ("agent", "config")]
print(__name__, sys.argv[1:], sys.path[0], ours, "livekit.plugins.silero" in sys.modules)
"""


def waiting(program: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, spare.__file__, str(program), "dev", "--supervised"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=program.parent)


def test_it_runs_the_program_as_it_is_when_it_is_told_to(tmp_path: Path) -> None:
    program = tmp_path / "agent.py"
    program.write_text("raise SystemExit(1)")
    with waiting(program) as process:
        program.write_text(PROGRAM)
        said, _ = process.communicate("\n")
    assert said == f"__main__ ['dev', '--supervised'] {tmp_path} [] True\n"
    assert process.returncode == 0


def test_it_ends_with_its_supervisor(tmp_path: Path) -> None:
    with waiting(tmp_path / "nowhere.py") as process:
        assert process.communicate()[0] == ""
    assert process.returncode == 0


def test_it_imports_what_is_there_and_nothing_of_ours() -> None:
    for name in spare.IMPORTED:
        assert name.partition(".")[0] not in ("agent", "config", "stt_assemblyai")
        assert importlib.util.find_spec(name)
