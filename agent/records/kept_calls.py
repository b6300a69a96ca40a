"""The calls in a folder of records: which files belong to a call, how old they are, how large."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RECORD = ".jsonl"
_ROOM = "RM_"
"""The SIDs of rooms begin so, and the names of all our files. Others may lie in the same folder."""
_LATEST = 4e9  # unix seconds: 2096. A record of a later time has none.
_LONGEST_LINE = 65_536
"""Bytes: of a last line, enough to see what it is."""


@dataclass(frozen=True, slots=True)
class KeptCall:
    """The files of the calls in one room; `record` is missing if only sound is left."""

    record: Path | None
    others: tuple[Path, ...]
    bytes: int
    changed_at: float
    """Wall time, seconds: when any of them was written to."""

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, the record last: what has no record is no whole call."""
        return (*self.others, self.record) if self.record else self.others


def kept_calls(folder: Path) -> list[KeptCall]:
    """The calls that lie in this folder, the oldest first. A missing folder has none."""
    groups: dict[str, list[Path]] = {}
    for path in _files(folder):
        groups.setdefault(path.name.partition(".")[0], []).append(path)
    found = [call for paths in groups.values() if (call := _call(paths))]
    return sorted(found, key=lambda call: call.changed_at)


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(each for each in folder.iterdir() if each.name.startswith(_ROOM))
    except OSError:
        return


def _call(paths: list[Path]) -> KeptCall | None:
    there = []
    for path in paths:
        try:
            found = path.lstat()
        except OSError:  # somebody has just removed it
            continue
        if path.is_file() and not path.is_symlink():
            there.append((path, found.st_size, found.st_mtime))
    if not there:
        return None
    record = next((path for path, _, _ in there if path.suffix == RECORD), None)
    return KeptCall(
        record,
        tuple(path for path, _, _ in there if path is not record),
        sum(size for _, size, _ in there),
        max(changed for _, _, changed in there),
    )


def has_ended(record: Path) -> bool:
    """Whether the last line of a record is its end."""
    try:
        with record.open("rb") as file:
            file.seek(max(0, record.stat().st_size - _LONGEST_LINE))
            lines = file.read().rstrip(b"\n").split(b"\n")
        return bool(json.loads(lines[-1])["kind"] == "end")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def name_in_store(record: Path) -> str:
    """A name that no other call has: `2026-11-28/143002-RM_abc`, by when the call began (UTC), or
    when its file changed last if the record does not tell."""
    began = datetime.fromtimestamp(_began_at(record), UTC)
    return f"{began:%Y-%m-%d/%H%M%S}-{record.stem}"


def _began_at(record: Path) -> float:
    try:
        with record.open("rb") as file:
            at = float(json.loads(file.readline(_LONGEST_LINE))["at"])
        if 0 <= at <= _LATEST:
            return at
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        pass
    return _changed_at(record)


def _changed_at(record: Path) -> float:
    try:
        return min(max(0.0, record.stat().st_mtime), _LATEST)
    except OSError:  # somebody has just removed it
        return 0.0
