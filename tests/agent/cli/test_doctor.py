"""`doctor` as a person and a pipeline run it: a table or JSON, an exit code, and ten seconds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
NOBODY = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a-livekit-secret-of-32-characters-or-more",
    "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
    "ASSEMBLYAI_BASE_URL": "ws://127.0.0.1:9",
    "OPENAI_API_KEY": "sk-an-openai-key",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
}
HANGS = """
import socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(60)
"""


def doctor(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run it in an empty folder with these settings alone."""
    ours = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")
    clean = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, str(ROOT / "agent.py"), "doctor", *words],
        cwd=folder,
        env=clean | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_person_reads_a_narrow_table_that_holds_no_secret(tmp_path: Path) -> None:
    done = doctor(tmp_path, **NOBODY)
    assert done.returncode == 1
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "nothing listens at 127.0.0.1:9" in done.stdout
    for name in ("LIVEKIT_API_SECRET", "ASSEMBLYAI_API_KEY", "OPENAI_API_KEY"):
        assert NOBODY[name] not in done.stdout


def test_a_program_reads_json(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json", "--no-join")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["ok"] is False
    assert {check["state"] for check in found["checks"]} <= {"ok", "warning", "fault", "skipped"}
    assert {tuple(check) for check in found["checks"]} == {
        ("name", "state", "affects", "seen", "mend")
    }


def test_it_ends_within_ten_seconds_whatever_hangs(tmp_path: Path) -> None:
    host = "livekit.invalid"
    (tmp_path / "sitecustomize.py").write_text(HANGS)
    addresses = {
        "LIVEKIT_URL": f"ws://{host}",
        "ASSEMBLYAI_BASE_URL": f"ws://{host}",
        "OPENAI_BASE_URL": f"http://{host}/v1",
        "PYTHONPATH": str(tmp_path),
    }
    began = time.monotonic()
    done = doctor(tmp_path, **NOBODY | addresses)
    assert time.monotonic() - began < 10
    assert done.returncode == 1
    assert "does not answer in time" in done.stdout
