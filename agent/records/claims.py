"""Who writes a record at this moment: a lock that a process loses when it dies.

Several agents may hold a record, since one takes over from another. A process must hold it alone
to send it away or to remove it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from agent.records.private_files import open_private


def open_claimed(path: Path) -> int:
    """Open a record to write to it, and claim it until the descriptor is closed.

    Waits for somebody who removes it, which takes microseconds. Raises OSError.
    """
    while True:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # it was moved between the two calls


@contextlib.contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether nobody writes to this file. If so, nobody begins to until the block is left.

    False also for a file that is gone or that is not ours. A folder can be locked alike.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_there = _is_at(path, descriptor)
    except OSError:
        is_there = False
    try:
        yield is_there
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
