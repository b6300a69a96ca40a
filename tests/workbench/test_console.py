"""`make console`: a typed conversation with the stand-ins, from a pipe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.local.running import PROJECT

OURS = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")


@pytest.mark.slow
def test_lines_from_a_pipe_are_answered_on_a_machine_without_portaudio(tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")')
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run(
        [sys.executable, "-m", "workbench.local.console", "--text"],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}"},
        input="What is seven plus five?\n\n  \nWhat is two plus two?\n",
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Seven plus five is twelve.", "Two plus two is four."]
    assert "Traceback" not in done.stderr
    assert "eprecated" not in done.stderr
