"""`python agent.py playground`, as somebody types it."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROJECT = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a-livekit-secret-of-32-characters-or-more",
    "AGENT_NAME": "receptionist",
}


@contextmanager
def playground(*words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    ours = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "agent.py"), "playground", *words],
        cwd=ROOT / "tests",
        env=clean | settings | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_it_says_where_the_page_is_serves_it_and_ends_on_ctrl_c() -> None:
    with playground("--port", "0", "--listen", "0.0.0.0", **PROJECT) as process:
        assert process.stdout
        said = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert address
        assert "'receptionist'" in said
        with urllib.request.urlopen(address[0], timeout=10) as page:
            assert b"Start talking" in page.read()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert errors == ""


def test_a_taken_port_and_a_missing_setting_are_one_sentence_each() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with playground("--port", port, **PROJECT) as process:
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "choose another with --port" in errors
    assert len(errors.splitlines()) == 1
    with playground(**PROJECT | {"LIVEKIT_API_KEY": ""}) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "LIVEKIT_API_KEY: is missing" in errors
    assert len(errors.splitlines()) == 1
