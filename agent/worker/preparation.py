"""What every job process will need, tried once in the main process before it takes calls.

LiveKit starts a job process in the place of one that could not be prepared, ten times a second and
for ever.
"""

import contextlib
import os
import socket
import tempfile
import urllib.request
from collections.abc import Callable
from multiprocessing import util
from pathlib import Path

from agent.call.prepared import read_sentences
from config.values import ROOT

LONGEST_REASON = 300


class UnpreparedError(Exception):
    """No job process could be made ready: one sentence that says what to change."""


def require_preparation(prepare: Callable[[], object]) -> None:
    """Return when `prepare` does, and what else a job process takes is there.

    Raises UnpreparedError.
    """
    leave_lost_folder()
    _require_folder()
    try:
        read_sentences()
        prepare()
    except Exception as error:  # of any library: each would fail every job process
        words = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]
        proxies = [f"{scheme.upper()}_PROXY" for scheme in urllib.request.getproxies()]
        advice = f"; the environment sets {', '.join(proxies)}" if proxies else ""
        raise UnpreparedError(f"No call could be prepared ({words}){advice}.") from None


def leave_lost_folder() -> None:
    """Move elsewhere where somebody has removed the folder that the worker was started in, or a
    release in its place: Python starts no process from there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        os.chdir(ROOT)


def _require_folder() -> None:
    """The folder of the socket over which job processes are asked for, as Python makes it."""
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
    """Python removes that folder when it ends, with a traceback where somebody else has."""
    with contextlib.suppress(OSError):
        Path(util.get_temp_dir()).mkdir(parents=True, exist_ok=True)
