"""Completes the record of a call with what another machine has written of it.

Lines are compared as texts: each has its own time, to the microsecond.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from agent.records.claims import open_claimed
from agent.records.private_files import open_private


def complete(record: Path, lines: Iterable[str]) -> None:
    """Write behind a record those of the lines that it lacks. Raises OSError."""
    if missing := absent(lines, lines_in(record)[0]):
        append(record, missing)


def lines_in(record: Path, at: int = 0) -> tuple[list[str], int]:
    """The whole lines of a record from a byte on, and the byte behind them; none of a missing
    one."""
    try:
        with os.fdopen(open_private(record, os.O_RDONLY), "rb") as file:
            file.seek(at)
            *lines, rest = file.read().split(b"\n")
            return [line.decode(errors="replace") for line in lines if line], file.tell() - len(
                rest
            )
    except OSError:
        return [], at


def since_last_end(lines: list[str]) -> list[str]:
    """Without the calls that are over: a room may be used again."""
    ends = [number for number, line in enumerate(lines) if line.startswith('{"kind": "end"')]
    return lines[ends[-1] + 1 :] if ends else lines


def absent(lines: Iterable[str], others: Iterable[str]) -> list[str]:
    """Those of the lines that the others lack, in order."""
    left = Counter(others)
    missing = []
    for line in lines:
        if left[line]:
            left[line] -= 1
        else:
            missing.append(line)
    return missing


def append(record: Path, lines: Iterable[str]) -> None:
    """Write these lines behind those of a record. Raises OSError."""
    record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = open_claimed(record)
    try:
        size = os.fstat(descriptor).st_size
        is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        text = "".join(f"{line}\n" for line in lines)
        os.write(descriptor, (("\n" if is_torn else "") + text).encode())
    finally:
        os.close(descriptor)
