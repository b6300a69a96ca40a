"""What a person reads when the worker cannot start beside a real LiveKit server."""

import asyncio
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from workbench.local.providers import plan, worker_environment
from workbench.local.running import PROJECT

OURS = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")


async def last_words(places: Any, *words: str, **settings: str) -> tuple[int, list[str]]:
    """Run a command to its end: its exit code, and the lines that are not from the log."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    told = worker_environment(clean, places.access, plan({}), places.stand_ins)
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROJECT / "agent.py"),
        *words,
        cwd=places.logs,
        env={**told, "AGENT_LOG_FORMAT": "json", **settings},
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, errors = await program.communicate()
    assert program.returncode is not None
    lines = errors.decode().splitlines()
    return program.returncode, [line for line in lines if not line.startswith("{")]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LIVEKIT_API_SECRET": "x" * 40}, "they belong together"),
        ({"LIVEKIT_API_KEY": "APIsomebody"}, "they belong together"),
        ({"LIVEKIT_API_KEY": "s" * 43, "LIVEKIT_API_SECRET": "APIkey"}, "look swapped"),
    ],
)
async def test_a_wrong_key_ends_the_worker_at_once_with_one_sentence(
    places: Any, settings: Mapping[str, str], said: str
) -> None:
    code, lines = await last_words(places, "start", **settings)
    assert code == 1
    (line,) = lines
    assert said in line
    assert not [value for value in settings.values() if value in line]


@pytest.mark.parametrize("name", ["AGENT_HTTP_PORT", "AGENT_METRICS_PORT"])
async def test_a_port_in_use_is_said_in_one_sentence(places: Any, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        code, lines = await last_words(places, "dev", **{name: port})
    assert code == 1
    (line,) = lines
    assert f"127.0.0.1:{port}" in line
    assert name in line


async def test_a_livekit_server_that_accepts_and_says_nothing_is_said_in_one_sentence(
    places: Any,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        code, lines = await last_words(places, "dev", LIVEKIT_URL=url)
    assert code == 1
    (line,) = lines
    assert "no answer within 5 s" in line


async def test_certificates_that_are_not_there_are_said_in_one_sentence(places: Any) -> None:
    code, lines = await last_words(places, "start", SSL_CERT_FILE=str(places.logs / "none.pem"))
    assert code == 1
    (line,) = lines
    assert "SSL_CERT_FILE" in line


async def test_the_console_without_portaudio_says_what_to_install(places: Any) -> None:
    terminal, ours = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    without_portaudio = "import sys; sys.modules['sounddevice'] = None; sys.argv[1:] = ['console'];"
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{without_portaudio} from agent.cli import main; main()",
        cwd=PROJECT,
        env=worker_environment(clean, places.access, plan({}), places.stand_ins),
        stdin=ours,
        stdout=ours,
        stderr=subprocess.PIPE,
    )
    _, errors = await program.communicate()
    os.close(terminal)
    os.close(ours)
    assert program.returncode == 1
    assert "libportaudio2" in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("starting worker", signal.SIGINT),
        ("HTTP server listening", signal.SIGINT),
        ("HTTP server listening", signal.SIGTERM),
        ("registered", signal.SIGINT),
    ],
)
async def test_a_signal_to_all_processes_ends_the_worker_at_whatever_moment_it_comes(
    places: Any, moment: str, number: signal.Signals
) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    told = worker_environment(clean, places.access, plan({}), places.stand_ins)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROJECT / "agent.py"), "dev"),
        cwd=places.logs,
        env={**told, "AGENT_LOG_FORMAT": "json", "AGENT_NAME": "interrupted"},
        stderr=subprocess.PIPE,
        process_group=0,
    )
    assert program.stderr
    async with asyncio.timeout(60):
        while moment.encode() not in await program.stderr.readline():
            pass
        os.killpg(program.pid, number)
        _, errors = await program.communicate()
    assert program.returncode == 0
    assert "Traceback" not in errors.decode()
