"""`call` as a pipeline runs it where nothing can be called: a sentence, and an exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECRET = "a-livekit-secret-of-32-characters-or-more"
NOBODY = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": SECRET,
}


def call(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run it in an empty folder with these settings alone, and an empty input."""
    ours = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")
    clean = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, str(ROOT / "agent.py"), "call", *words],
        cwd=folder,
        env=clean | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "settings", "code", "said"),
    [
        (["--text", "--phone"], NOBODY, 2, "--text has no voice"),
        (["--text", "a.wav"], NOBODY, 2, "--text has no voice"),
        (["none.wav"], NOBODY, 2, "none.wav cannot be read"),
        (["--within", "-1"], NOBODY, 2, "--within"),
        (["--room", "x" * 300], NOBODY, 2, "--room has at most 256 printable characters."),
        (["--agent", "a\nb"], NOBODY, 2, "--agent has at most 256 printable characters."),
        (["--out", "/proc/none/a.wav"], NOBODY, 2, "/proc/none/a.wav cannot be written"),
        ([], {}, 2, "LIVEKIT_URL"),
        ([], NOBODY, 3, "`python agent.py doctor` says why"),
        (["--json"], NOBODY, 3, "`python agent.py doctor` says why"),
        ([], NOBODY | {"LIVEKIT_API_SECRET": "short"}, 3, "doctor"),
    ],
)
def test_what_keeps_a_call_from_being_held_is_a_sentence_and_a_code(
    tmp_path: Path, words: list[str], settings: dict[str, str], code: int, said: str
) -> None:
    done = call(tmp_path, *words, **settings)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout == ""
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
