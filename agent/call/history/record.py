"""Records what happened in a call, line by line, so that a crash loses nothing.

A record is a file of JSON lines (`agent.records.schema`). Each line is one system call: once
`write` has returned, the line survives the death of the process. Against a loss of power, a thread
calls `fsync`, since a call must not wait for it. An incomplete line counts as never said. A record
without `end` belongs to a call whose agent died: the next agent in that room goes on from it.
"""

import contextlib
import errno
import json
import logging
import os
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal, Protocol
from urllib.parse import quote

from agent.records.claims import open_claimed
from agent.records.private_files import open_private
from agent.records.schema import Line

log = logging.getLogger(__name__)


class RecordsError(Exception):
    """The folder for records cannot be used. The message says which and why, in one sentence."""


def prepare_folder(path: Path) -> None:
    """Make the folder for records, for its owner alone. Raises RecordsError.

    If others could write to it, they could put a link in the place of a record.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = path.stat()
        if stat.S_IMODE(found.st_mode) & 0o077:
            if found.st_uid != os.geteuid():
                raise RecordsError(
                    f"others may use {path}, and it belongs to somebody else: name a folder below "
                    "it, which is then made for this user alone"
                )
            path.chmod(0o700)
            log.warning("the folder for records was open to others", extra={"folder": str(path)})
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise RecordsError(f"nothing can be written to {path} ({error.strerror})") from None


class Record(Protocol):
    """Where a call is recorded. Another store needs only these methods."""

    def write(self, line: Line) -> None:
        """Write one line. Never raises: a call goes on without its record."""

    def forget(self) -> None:
        """Remove what was written since it was opened."""

    def close(self) -> None:
        """Write no more."""


class NoRecord:
    """For operators who keep no records."""

    def write(self, line: Line) -> None:
        pass

    def forget(self) -> None:
        pass

    def close(self) -> None:
        pass


class FileRecord:
    """A record in a file of its own. The file holds personal data: only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        self._written: SimpleQueue[bool] = SimpleQueue()
        """True for each line, then False."""
        self._begins_at = 0
        """The byte: before it may be another call in the same room."""
        with self._forgiven():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = open_claimed(path)
            arguments = (self._descriptor, self._written)
            threading.Thread(target=_sync, args=arguments, daemon=True).start()
            if _is_torn(self._descriptor):
                self._write(b"\n")
            self._begins_at = os.fstat(self._descriptor).st_size

    def write(self, line: Line) -> None:
        text = json.dumps(line.model_dump(exclude_none=True), ensure_ascii=False)
        with self._forgiven():
            # A lone surrogate, which no file takes, becomes its JSON escape.
            self._write(text.encode(errors="backslashreplace") + b"\n")

    def forget(self) -> None:
        if self._descriptor is not None:
            with self._forgiven():
                os.ftruncate(self._descriptor, self._begins_at)
                self._written.put(True)

    def close(self) -> None:
        if self._descriptor is not None:
            self._descriptor = None
            self._written.put(False)

    def _write(self, data: bytes) -> None:
        if self._descriptor is None:
            return
        if os.write(self._descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._written.put(True)

    @contextlib.contextmanager
    def _forgiven(self) -> Iterator[None]:
        """If the disk is full or gone, end the record, with one line in the log; not the call."""
        try:
            yield
        except OSError as error:
            log.warning("the call is no longer recorded", extra={"error": error.strerror})
            self.close()


def _is_torn(descriptor: int) -> bool:
    """Whether the file ends in the middle of a line: the next one then needs a line break first."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _sync(descriptor: int, written: SimpleQueue[bool]) -> None:
    """Flush each line to the disk, and close the file after the last one."""
    while written.get():
        with contextlib.suppress(OSError):  # if the disk is full, the next write says so
            os.fsync(descriptor)
    with contextlib.suppress(OSError):
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    text: str
    mark: str = ""
    """Why it got no answer of its own: the value of a `Mark` (`agent.call.history.marked`)."""


def open_record(directory: Path | None, room_sid: str) -> tuple[Record, list[Said]]:
    """Open the record of the call in a room. Returns it with what was said before an earlier agent
    died."""
    if directory is None:
        return NoRecord(), []
    path = record_file(directory, room_sid)
    return FileRecord(path), unfinished(path)


def record_file(directory: Path, room_sid: str) -> Path:
    """Where the record of the call in a room is."""
    return directory / f"{quote(room_sid, safe='')}.jsonl"


def unfinished(path: Path) -> list[Said]:
    """The turns of a record without an end; empty if there is no record, or if it has an end."""
    try:
        with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return []
    said: list[Said] = []
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            entry = json.loads(line)
            if entry["kind"] == "end":
                said.clear()
            elif entry["kind"] == "said" and entry["role"] in ("user", "assistant"):
                said.append(Said(entry["role"], _for_model(entry), str(entry.get("mark", ""))))
            elif entry["kind"] == "formatted":
                _format(said, str(entry["replaces"]), str(entry["text"]))
    return said


def _for_model(entry: Mapping[str, Any]) -> str:
    """What was said, as the model reads it: with the name if there are several speakers."""
    name, text = entry.get("name"), str(entry["text"])
    return f"{name}: {text}" if name else text


def _format(said: list[Said], replaces: str, text: str) -> None:
    """Replace a plain text by its formatted one, in the newest turn of the user that ends with it.

    Does nothing without such a turn."""
    for index in reversed(range(len(said))):
        turn = said[index]
        if turn.role == "user" and f" {turn.text}".endswith(f" {replaces}"):
            said[index] = replace(turn, text=turn.text.removesuffix(replaces) + text)
            return
