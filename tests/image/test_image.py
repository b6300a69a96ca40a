"""The image, run as a cluster would: its own user, no capability, a root that cannot be written."""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from workbench.local.layers import layer_files, why_secret
from workbench.local.livekit_server import free_port
from workbench.local.processes import Command, Process
from workbench.local.providers import plan, worker_environment
from workbench.local.standins_process import stand_ins
from workbench.local.workers import own_livekit

pytestmark = [pytest.mark.image, pytest.mark.timeout(1000)]

PROJECT = Path(__file__).parents[2]
SECRET = ("_API_KEY", "_API_SECRET")
ENGINE = str(PROJECT / "deploy" / "image" / "engine")
LARGEST_MB = 510  # docs/deploy.md says what they are
HARDENED = (
    # No timer of the engine's; the tests run the image's check themselves.
    *("--rm", "--no-healthcheck"),
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all"),
    *("--security-opt", "no-new-privileges", "--memory", "4g", "--pids-limit", "512"),
)
# Keys in the environment of whoever builds it.
PLANTED = {
    name: secrets.token_urlsafe(32)
    for name in ("ASSEMBLYAI_API_KEY", "OPENAI_API_KEY", "LIVEKIT_API_SECRET")
}

CHANGEABLE = """
import os
for root, directories, files in [*os.walk("/app"), *os.walk("/opt/venv")]:
    for path in [root, *(os.path.join(root, name) for name in files)]:
        if not os.path.islink(path) and os.access(path, os.W_OK):
            print(path)
"""

LEFT_OVER = """
import importlib.util, os, shutil
for name in ("cc", "gcc", "g++", "clang", "make", "pip", "pip3", "uv", "apt", "apt-get", "dpkg",
             "rpm", "apk", "perl", "bash", "curl", "wget", "tar", "su", "sudo", "mount"):
    if shutil.which(name):
        print("the program", name)
for name in ("pip", "ensurepip", "setuptools", "uv", "assemblyai", "livekit.plugins.assemblyai"):
    if importlib.util.find_spec(name):
        print("the package", name)
for root, _, files in os.walk("/usr"):
    for path in (os.path.join(root, name) for name in files):
        if os.lstat(path).st_mode & 0o6000:
            print("a program with other rights", path)
"""

WITHOUT_BYTECODE = """
import importlib, pkgutil, sys
from pathlib import Path
for package in map(importlib.import_module, ("agent", "config", "stt_assemblyai")):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
import livekit.agents.ipc._preload
for name, module in list(sys.modules.items()):
    cached = getattr(getattr(module, "__spec__", None), "cached", None)
    if cached and not Path(cached).exists():
        print(name)
"""


@dataclass(frozen=True, slots=True)
class Image:
    """The built image: its name, and what it says of itself."""

    name: str
    bytes: int
    config: dict[str, Any]
    health: Sequence[str]
    history: str


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """The image, built from this checkout as `make image` does; removed afterwards."""
    name = f"livekit-assemblyai-agent:test-{secrets.token_hex(4)}"
    build = [str(PROJECT / "deploy" / "image" / "build")]
    environment = os.environ | PLANTED | {"IMAGE": name}
    subprocess.run(build, check=True, timeout=960, env=environment)
    try:
        (found,) = json.loads(engine("image", "inspect", name).stdout)
        # Docker files it under the configuration, podman beside it.
        check = (found["Config"] | found).get("Healthcheck", {"Test": []})["Test"]
        history = engine("history", "--no-trunc", "--format", "{{.CreatedBy}}", name).stdout
        yield Image(name, found["Size"], found["Config"], check, history)
    finally:
        engine("image", "rm", "--force", name)


def engine(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the engine to its end."""
    return subprocess.run(
        [ENGINE, *arguments], check=False, capture_output=True, text=True, timeout=120
    )


def run(image: Image, *command: str, options: Sequence[str] = HARDENED) -> str:
    """What this command of the image writes; the command has to succeed."""
    ended = engine("run", "--network", "none", *options, image.name, *command)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def python(image: Image, program: str, *, options: Sequence[str] = HARDENED) -> str:
    """What this program writes, run by the image's Python."""
    return run(image, "-c", program, options=(*options, "--entrypoint", "python"))


def test_the_image_is_small_enough_to_be_pulled_in_a_deployment(image: Image) -> None:
    megabytes = round(image.bytes / 1e6)
    sys.stdout.write(f"the image has {megabytes} MB of at most {LARGEST_MB} MB\n")
    assert megabytes <= LARGEST_MB


def test_the_service_user_is_a_number_that_is_not_root(image: Image) -> None:
    # By number, so that Kubernetes can tell that `runAsNonRoot` holds.
    assert image.config["User"] == "10001:10001"
    assert python(image, "import os; print(os.getuid(), os.getgid())").split() == ["10001"] * 2


def test_python_is_started_without_a_shell(image: Image) -> None:
    assert image.config["Entrypoint"] == ["python", "agent.py"]
    assert image.config["Cmd"] == ["start"]


def test_neither_history_nor_environment_names_an_index_or_a_secret(image: Image) -> None:
    told = "\n".join([image.history, *image.config["Env"]])
    assert not re.search(
        r"index[-_]?url|api_?key|api_secret|token|passw|--secret", told, re.IGNORECASE
    )


def test_no_layer_holds_a_secret(image: Image) -> None:
    known = {value.encode() for value in PLANTED.values()}
    if (dotenv := PROJECT / ".env").is_file():
        values = dotenv_values(dotenv).items()
        known |= {value.encode() for name, value in values if value and name.endswith(SECRET)}
    with subprocess.Popen([ENGINE, "save", image.name], stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None
        read = 0
        for read, file in enumerate(layer_files(saving.stdout), 1):  # noqa: B007
            assert not (why := why_secret(file, known)), f"{file.path}: {why}"
    assert saving.returncode == 0
    assert read > 5000


def test_labels_say_what_it_is_and_from_which_source(image: Image) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True)
    assert {
        "title": project["name"],
        "description": project["description"],
        "version": project["version"],
        "licenses": project["license"],
        "revision": head.stdout.strip() or "unknown",
    }.items() <= {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in image.config["Labels"].items()
    }.items()


def test_nothing_is_left_that_installs_compiles_or_changes_users(image: Image) -> None:
    assert python(image, LEFT_OVER) == ""


def test_nothing_that_a_worker_imports_is_compiled_at_every_start(image: Image) -> None:
    # Nothing can be written in the container. The Dockerfile says what stays without bytecode.
    assert python(image, WITHOUT_BYTECODE) == ""


def test_only_the_worker_is_inside(image: Image) -> None:
    listing = python(image, "import os; print(*sorted(os.listdir('/app')), sep='\\n')")
    assert listing.split() == [
        *("__pycache__", "agent", "agent.py", "config", "pyproject.toml", "stt_assemblyai")
    ]


def test_the_service_user_can_change_nothing_that_runs(image: Image) -> None:
    # On a writable root: on a read-only one nothing is writable, whoever owns it.
    assert python(image, CHANGEABLE, options=["--rm", "--cap-drop", "all"]) == ""


def test_the_models_are_inside(image: Image) -> None:
    # Without any network.
    assert "livekit.plugins.silero: complete" in run(image, "download-files")
    loaded = python(image, "from livekit.plugins import silero; print(silero.VAD.load())")
    assert "silero" in loaded


def test_without_keys_the_worker_says_which_and_ends(image: Image) -> None:
    ended = engine("run", "--network", "none", *HARDENED, image.name)
    assert ended.returncode == 2, ended.stderr
    assert "The worker cannot start: 5 settings are missing or wrong." in ended.stderr
    for variable in ("LIVEKIT_URL", "LIVEKIT_API_SECRET", "ASSEMBLYAI_API_KEY", "OPENAI_API_KEY"):
        assert f"{variable}: is missing; for example {variable}=" in ended.stderr


def test_the_health_check_fails_where_no_worker_answers(image: Image) -> None:
    kind, program, *arguments = image.health
    assert kind == "CMD"
    # A provider that is down is no reason to end the calls of a worker: /readyz would be one.
    assert "'/livez'" in arguments[-1]
    own = ("--network", "none", *HARDENED, "--entrypoint", program)
    ended = engine("run", *own, image.name, *arguments)
    assert ended.returncode == 1
    assert "ConnectionRefusedError" in ended.stderr


def test_the_health_page_is_open_to_probes_from_outside(image: Image) -> None:
    assert {"AGENT_HTTP_HOST=0.0.0.0", "AGENT_HTTP_PORT=8081"} <= set(image.config["Env"])
    assert "8081/tcp" in image.config["ExposedPorts"]


def says(message: str) -> Callable[[str], bool]:
    """Whether a line of the worker's log says this."""
    return lambda line: f'"message": "{message}"' in line


@asynccontextmanager
async def container(
    image: Image, name: str, settings: dict[str, str], log: Path
) -> AsyncIterator[Process]:
    """The image's own command in the foreground, on the network of this machine."""
    # Values go by the environment of the engine, not by its arguments, which everybody may list.
    argv = [ENGINE, "run", "--name", name, "--network", "host", *HARDENED]
    for variable in settings:
        argv += ["--env", variable]
    command = Command("the image", [*argv, image.name], log, os.environ | settings)
    try:
        async with Process(command) as process:
            yield process
    finally:
        engine("rm", "--force", name)


def call_command(settings: dict[str, str], folder: Path) -> Command:
    """`python agent.py call` of this checkout: the question in it, until it is answered."""
    argv = [sys.executable, str(PROJECT / "agent.py"), "call", "--expect", "twelve"]
    return Command("the caller", argv, folder / "call.log", os.environ | settings, cwd=folder)


async def test_it_registers_answers_a_call_until_its_end_while_it_is_told_to_stop_and_leaves(
    image: Image, tmp_path: Path
) -> None:
    name = f"agent-test-{secrets.token_hex(4)}"
    async with own_livekit(tmp_path) as server, stand_ins(tmp_path / "stand-ins.log") as started:
        settings = worker_environment({}, server.access, plan({}), started[0]) | {
            "AGENT_HTTP_HOST": "127.0.0.1",
            "AGENT_HTTP_PORT": str(free_port()),
            # Tests beside this one keep the machine busy.
            "AGENT_MAX_CPU_PERCENT": "100",
        }
        log = tmp_path / "worker.log"
        async with container(image, name, settings, log) as worker:
            await worker.wait_for_line(says("registered worker"), timeout_seconds=90)
            async with Process(call_command(settings, tmp_path)) as caller:
                checked = await asyncio.to_thread(engine, "exec", name, *image.health[1:])
                assert checked.returncode == 0, checked.stderr
                first = await asyncio.to_thread(engine, "exec", name, "cat", "/proc/1/cmdline")
                assert first.stdout.split("\0")[:3] == ["python", "agent.py", "start"]
                await caller.wait_for_line(lambda line: "agent  " in line, timeout_seconds=60)
                # Killed after 60 s, it would end with 137.
                stopping = asyncio.to_thread(engine, "stop", "--time", "60", name)
                _, answered = await asyncio.gather(stopping, caller.wait(timeout_seconds=60))
                assert answered == 0, caller.tail(20)
            assert await worker.wait(timeout_seconds=30) == 0, worker.tail(20)
    levels = {json.loads(line)["level"] for line in worker.lines if line.startswith("{")}
    assert levels <= {"info", "warning"}
    assert not any("Traceback" in line for line in worker.lines)
