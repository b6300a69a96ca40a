"""Reads the files that settings name, once, where the settings are loaded.

A missing or unreadable file is a sentence, and so is an operator's function that does not import.
"""

import contextlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from config.behaviour import ADDRESSES, INSTRUCTIONS_CHARS, AgentSettings
from config.faults import about
from config.phrases import Phrasebook, PhrasesError, read_phrasebook
from config.settings import FileContents
from config.values import ROOT

NAMING = frozenset({"instructions_file", "phrases_dir", "record_dir", "hand_over_to", "mcp_url"})
"""The fields of `AgentSettings` that name something outside the settings."""


class FilesError(Exception):
    """What settings name cannot be used: `faults` holds one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _UnusableError(Exception):
    """Why one of them cannot be used, in words that follow its variable's name."""


def read_files(agent: AgentSettings) -> FileContents:
    """The contents of the files that these settings name. Relative paths start at `ROOT`.

    Also looks whether the folder for records may be one, and imports the function that
    `hand_over_to` names: a call that needs them must not be the first to try. Raises FilesError
    with every fault at once.
    """
    faults: list[str] = []
    instructions, phrasebook = "", Phrasebook({})
    with _noted(faults, "instructions_file"):
        instructions = _instructions(ROOT / agent.instructions_file)
    with _noted(faults, "record_dir"):
        _may_be_folder(agent.record_dir)
    with _noted(faults, "phrases_dir"):
        phrasebook = read_phrasebook(ROOT / agent.phrases_dir)
    with _noted(faults, "hand_over_to"):
        _is_reachable(agent.hand_over_to)
    with _noted(faults, "mcp_url"):
        _has_mcp(agent.mcp_url)
    if faults:
        raise FilesError(faults)
    return FileContents(instructions, phrasebook)


@contextlib.contextmanager
def _noted(faults: list[str], field: str) -> Iterator[None]:
    try:
        yield
    except (_UnusableError, PhrasesError) as error:
        faults.append(about(f"AGENT_{field}".upper(), str(error)))


def _instructions(file: Path) -> str:
    try:
        is_endless = file.is_fifo() or file.is_char_device()
        text = "" if is_endless else _beginning(file)
    except (OSError, ValueError) as error:
        reason = type(error).__name__
        raise _UnusableError(f"cannot be read as UTF-8 text ({reason})") from None
    if is_endless:
        raise _UnusableError("is a pipe or a device: write a file")
    if not text:
        raise _UnusableError("is an empty file")
    if len(text) > INSTRUCTIONS_CHARS:
        raise _UnusableError(f"is longer than {INSTRUCTIONS_CHARS} characters")
    return text


def _beginning(file: Path) -> str:
    """The text; if it is too long, one character more than is allowed."""
    with file.open(encoding="utf-8") as opened:
        beginning = opened.read(INSTRUCTIONS_CHARS + 1)
    return beginning if len(beginning) > INSTRUCTIONS_CHARS else beginning.strip()


def _may_be_folder(path: Path | None) -> None:
    """Only the path: `agent.call.history.record` checks the folder when the worker starts."""
    if path is None:
        return
    try:
        path.lstat()
        is_folder = path.is_dir()
    except FileNotFoundError:
        return  # it will be made
    except (OSError, ValueError) as error:  # too long, no right to look, a NUL
        raise _UnusableError(f"cannot be a folder ({type(error).__name__})") from None
    if not is_folder:
        raise _UnusableError("is a file, not a folder")


def _has_mcp(url: SecretStr | None) -> None:
    if url and not importlib.util.find_spec("mcp"):
        raise _UnusableError("needs the package mcp: pip install 'mcp>=2.2,<3'")


def _is_reachable(to: str | None) -> None:
    if to is None or to.startswith(ADDRESSES):
        return
    try:
        found = pkgutil.resolve_name(to)
    except Exception as error:  # the operator's code, which may raise anything
        reason = type(error).__name__
        raise _UnusableError(
            f"is no tel: or sip: address, and cannot be imported ({reason})"
        ) from None
    if not inspect.iscoroutinefunction(found):
        raise _UnusableError("must name an async function")
