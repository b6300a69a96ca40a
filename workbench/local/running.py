"""The one `make run` of this checkout: a lock that dies with it, and how others find it."""

import argparse
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.local.livekit_server import Access

PROJECT = Path(__file__).parents[2]
CACHE = PROJECT / ".cache"
DIRECTORY = CACHE / "run"


class AlreadyRunningError(RuntimeError):
    """Another `make run` holds the lock."""


class NotRunningError(RuntimeError):
    """No `make run` is ready."""


class State(BaseModel):
    """What a caller needs to reach the running agent."""

    model_config = ConfigDict(frozen=True)

    url: str
    api_key: str
    api_secret: str = Field(repr=False)
    agent_name: str = ""

    @property
    def access(self) -> Access:
        """The LiveKit server."""
        return Access(self.url, self.api_key, self.api_secret)

    @property
    def environment(self) -> dict[str, str]:
        """The same as variables for `agent.py`."""
        return {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": self.api_key,
            "LIVEKIT_API_SECRET": self.api_secret,
            "AGENT_NAME": self.agent_name,
        }


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Let the command line choose another place for the run's state."""
    parser.add_argument(
        "--state", type=Path, default=DIRECTORY, help="directory of the run's logs and state"
    )


@contextmanager
def only_one(directory: Path = DIRECTORY) -> Iterator[None]:
    """Hold the lock of `make run`; the system releases it however this process ends.

    Raises AlreadyRunningError.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunningError(
                f"`make run` is already running (process {lock.read().strip() or 'unknown'}):"
                " talk to it with `make call`, or stop it there with Ctrl-C."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        _state_file(directory).unlink(missing_ok=True)
        try:
            yield
        finally:
            _state_file(directory).unlink(missing_ok=True)


def tell(state: State, directory: Path = DIRECTORY) -> None:
    """Write down how to reach the agent, readable by this user only."""
    path = _state_file(directory)
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(state.model_dump_json())
    fresh.replace(path)


def find(directory: Path = DIRECTORY) -> State:
    """How to reach the agent of the running `make run`. Raises NotRunningError."""
    if not _is_held(directory / "lock"):
        raise NotRunningError("Nothing to call: start `make run` in another terminal first.")
    try:
        return State.model_validate_json(_state_file(directory).read_text())
    except (FileNotFoundError, ValidationError):
        raise NotRunningError(
            "`make run` is still starting: try again when it says that it is ready."
        ) from None


def _state_file(directory: Path) -> Path:
    return directory / "state.json"


def _is_held(lock: Path) -> bool:
    try:
        with lock.open() as probe:
            fcntl.flock(probe.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
