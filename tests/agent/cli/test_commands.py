"""The commands, as a person types them: what is wrong is said in sentences."""

import ast
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMANDS = (
    "dev",
    "start",
    "connect",
    "console",
    "playground",
    "token",
    "transcribe",
    "settings",
    "doctor",
    "capacity",
    "call",
    "calls",
    "show",
    "download-files",
)
KEYS = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a-livekit-secret-of-32-characters-or-more",
    "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
    "OPENAI_API_KEY": "sk-an-openai-key",
}


def clean() -> dict[str, str]:
    """The environment without settings of ours."""
    ours = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def agent(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these settings alone, whatever the machine or a `.env` says."""
    return subprocess.run(
        [sys.executable, str(ROOT / "agent.py"), *words],
        cwd=ROOT / "tests",
        env=clean() | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["dev", "start", "settings", "console"])
def test_faults_in_the_settings_end_every_command_with_2_and_no_traceback(command: str) -> None:
    done = agent(command, **KEYS | {"AGENT_HTTP_PORT": "x", "OPENAI_BASE_URL": "y"})
    assert done.returncode == 2
    assert "AGENT_HTTP_PORT" in done.stderr
    assert "OPENAI_BASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_no_job_process_could_prepare_ends_the_worker_with_one_sentence() -> None:
    done = agent("start", **KEYS | {"ALL_PROXY": "socks5://127.0.0.1:9"})
    assert done.returncode == 2
    assert done.stderr.startswith("The worker cannot start. No call could be prepared (")
    assert "ALL_PROXY" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_temporary_folder_whose_path_is_too_long_is_said_in_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    done = agent("dev", **KEYS | {"TMPDIR": str(folder)})
    assert done.returncode == 2
    assert "AF_UNIX path too long" in done.stderr
    assert "TMPDIR" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_livekit_server_that_is_not_there_is_said_in_one_sentence() -> None:
    done = agent("dev", **KEYS)
    assert done.returncode == 1
    assert done.stderr.startswith("LiveKit does not answer at ws://127.0.0.1:9 (")
    assert "LIVEKIT_URL" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_server_that_is_not_livekit_is_said_in_one_sentence() -> None:
    web = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    with web, ThreadPoolExecutor() as threads:
        threads.submit(web.serve_forever)
        done = agent("dev", **KEYS | {"LIVEKIT_URL": f"ws://127.0.0.1:{web.server_port}"})
        web.shutdown()
    assert done.returncode == 1
    assert "not as a LiveKit server" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_refused_key_ends_start_at_once() -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(401)

    web = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    with web, ThreadPoolExecutor() as threads:
        threads.submit(web.serve_forever)
        done = agent("start", **KEYS | {"LIVEKIT_URL": f"ws://127.0.0.1:{web.server_port}"})
        web.shutdown()
    assert done.returncode == 1
    assert "refuses the key" in done.stderr
    assert len(done.stderr.splitlines()) == 1  # no waiting before it


@pytest.mark.parametrize("words", [("start",), ("connect", "--room", "room")])
def test_a_signal_ends_a_command_that_waits_for_a_silent_server(words: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = subprocess.Popen(
            [sys.executable, str(ROOT / "agent.py"), *words],
            cwd=ROOT / "tests",
            env=clean() | KEYS | {"LIVEKIT_URL": f"ws://127.0.0.1:{port}"},
            stderr=subprocess.PIPE,
            text=True,
        )
        server.settimeout(60)
        connection, _ = server.accept()
        with connection:
            program.terminate()
            _, errors = program.communicate(timeout=60)
    assert program.returncode == 0
    assert errors == ""


def test_the_console_asks_for_a_terminal() -> None:
    done = agent("console", **KEYS)
    assert done.returncode == 1
    assert "the console needs a terminal" in done.stderr
    assert "--text" in done.stderr


def test_settings_are_shown_with_their_origin_and_secrets_are_not() -> None:
    done = agent("settings", **KEYS | {"AGENT_NAME": "receptionist", "COLUMNS": "200"})
    assert done.returncode == 0
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    assert rows["AGENT_NAME"][1:] == ["receptionist", "environment"]
    assert rows["OPENAI_API_KEY"][1:] == ["********", "environment"]
    assert rows["AGENT_HTTP_HOST"][1:] == ["127.0.0.1", "default"]
    assert not [key for name, key in KEYS.items() if name != "LIVEKIT_URL" and key in done.stdout]


def test_a_half_filled_file_is_shown_with_what_it_lacks(tmp_path: Path) -> None:
    given = {"LIVEKIT_URL": "wss://user:hunter2@host", "OPENAI_API_KEY": "sk-an-openai-key"}
    done = agent("settings", **given, AGENT_GREETING="Grüezi\n" * 30, AGENT_HTTP_PORT="x")
    assert done.returncode == 2
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    assert rows["OPENAI_API_KEY"][1:] == ["********", "environment"]
    assert rows["AGENT_HTTP_PORT"][1:] == ["x", "environment"]
    assert rows["LIVEKIT_API_KEY"][1:] == ["MISSING"]
    assert rows["OPENAI_LLM_MODEL"][1:] == ["gpt-4.1-mini", "default"]
    for fault in ("LIVEKIT_API_KEY: is missing", "AGENT_HTTP_PORT: must be", "LIVEKIT_URL: must"):
        assert fault in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "sk-an" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_file_in_another_encoding_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b'AGENT_GREETING="Gr\xfc\xdfe"\n')
    command = [sys.executable, str(ROOT / "agent.py"), "settings"]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean() | KEYS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert ".env is not UTF-8 text" in done.stderr
    assert "Traceback" not in done.stderr
    assert "AGENT_GREETING" in done.stdout


@pytest.mark.parametrize(("command", "number"), [("settings", 1), ("dev", 2)])
def test_a_command_whose_output_is_closed_ends_as_with_an_open_one(
    command: str, number: int
) -> None:
    line = f'exec "$0" "$1" {command} {number}>&-'
    done = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, str(ROOT / "agent.py")],
        cwd=ROOT / "tests",
        env=clean() | KEYS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == agent(command, **KEYS).returncode
    assert done.stdout + done.stderr == ""


def test_settings_stay_within_100_columns() -> None:
    done = agent("settings", **KEYS, AGENT_INSTRUCTIONS="Be kind. " * 100)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100


MISTAKES = [
    (["connect", "--room", "x" * 300], {}, "--room has at most 256 printable characters."),
    (["connect", "--room", ""], {}, "--room needs a name."),
    (["start"], {"AGENT_HTTP_HOST": "0.0.0.0:80"}, "AGENT_HTTP_HOST: must be an IP address"),
    (["start"], {"AGENT_RECORD_DIR": "/proc/nowhere"}, "AGENT_RECORD_DIR: nothing can be written"),
    (["dev"], {"LIVEKIT_URL": "ws://[::1"}, "LIVEKIT_URL: has a host or a port that cannot be"),
]


@pytest.mark.parametrize(("words", "given", "said"), MISTAKES)
def test_a_mistake_is_told_in_a_sentence(
    words: list[str], given: dict[str, str], said: str
) -> None:
    done = agent(*words, **KEYS | given)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_without_the_packages_is_told_what_to_type() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "agent.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "lacks the package typer" in done.stderr
    assert ". .venv/bin/activate" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_older_python_can_read_the_sentence_that_it_is_too_old() -> None:
    ast.parse((ROOT / "agent.py").read_text("utf-8"), feature_version=(3, 6))


def test_an_address_that_may_hold_a_secret_is_not_shown() -> None:
    hidden = {
        "ASSEMBLYAI_WEBHOOK_URL": "https://hooks.example/s3cret?token=s3cret",
        "ASSEMBLYAI_LLM_GATEWAY": '{"model": "m", "key": "s3cret"}',
        "ASSEMBLYAI_EXTRA_PARAMETERS": "tenant=s3cret",
    }
    done = agent("settings", **KEYS | hidden)
    assert done.returncode == 0
    assert "s3cret" not in done.stdout + done.stderr
    rows = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert {rows[name] for name in hidden} == {"********"}


def test_help_names_every_command() -> None:
    done = agent("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout


def test_the_readme_names_no_command_that_does_not_exist() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"python agent\.py ([a-z-]+)", readme))
    assert named
    assert named <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", readme)) <= targets


def test_importing_the_worker_leaves_no_file_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = "import agent.worker.server"
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=60)
    assert not list(home.rglob("*"))


def test_livekits_own_runner_finds_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from pathlib import Path; from livekit.agents.cli.discover import get_import_data;"
        "print(get_import_data(path=Path('agent.py')).import_string)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **KEYS},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "agent:server"


def test_settings_on_a_full_disk_are_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, str(ROOT / "agent.py"), "settings"],
            cwd=ROOT / "tests",
            env=clean() | KEYS,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "The settings cannot be written: No space left on device.\n"
