"""Makes once, in the main process and before it takes calls, what every job process will need.

LiveKit replaces a job process that could not be prepared ten times a second, for ever.
"""

import contextlib
import importlib
import os
import socket
import tempfile
import urllib.request
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing import util
from pathlib import Path

from agent.call.output.canned_prompts import read_canned_prompts
from agent.livekit_private import prepare_for_jobs
from agent.worker.fork_server import fork_the_server
from agent.worker.reachability import require_certificates
from config.values import ROOT

LONGEST_REASON = 300


class UnpreparedError(Exception):
    """No job process could be made ready; the message says what to change in one sentence."""


def share_with_jobs(prepare: Callable[[], object], modules: Iterable[str]) -> None:
    """Load and prepare in this process what each job process needs, for all of them at once.

    Call it before an event loop runs. After it `os.environ` reaches no job process any more.
    Raises UnpreparedError, and LiveKitUnreachableError if the certificates cannot be read.
    """
    require_certificates()
    require_preparation(partial(_load, prepare, modules))
    fork_the_server()


def _load(prepare: Callable[[], object], modules: Iterable[str]) -> None:
    for each in modules:
        importlib.import_module(each)
    prepare_for_jobs()
    prepare()


def require_preparation(prepare: Callable[[], object]) -> None:
    """Return if `prepare` succeeds and everything else that a job process needs is there.

    Raises UnpreparedError.
    """
    leave_lost_folder()
    _require_folder()
    try:
        read_canned_prompts()
        prepare()
    except Exception as error:  # from any library: it would fail every job process
        words = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]
        proxies = [f"{scheme.upper()}_PROXY" for scheme in urllib.request.getproxies()]
        advice = f"; the environment sets {', '.join(proxies)}" if proxies else ""
        raise UnpreparedError(f"No call could be prepared ({words}){advice}.") from None


def leave_lost_folder() -> None:
    """Change to the project's folder if the current one has been removed, as a new release may
    do: Python starts no process from a folder that is gone."""
    try:
        Path.cwd()
    except FileNotFoundError:
        os.chdir(ROOT)


def _require_folder() -> None:
    """Try to make the folder and the socket that job processes are started through."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="pymp-") as folder,
            socket.socket(socket.AF_UNIX) as listener,
        ):
            listener.bind(f"{folder}/listener-12345678")
    except OSError as error:
        raise UnpreparedError(
            "The temporary folder cannot hold the socket of the job processes "
            f"({error.strerror or error}): set TMPDIR to a folder that can be written to and "
            "whose path has at most 75 characters."
        ) from None


def leave_folder_in_place() -> None:
    """Put the temporary folder back: Python removes it at exit, with a traceback if it is gone."""
    with contextlib.suppress(OSError):
        Path(util.get_temp_dir()).mkdir(parents=True, exist_ok=True)
