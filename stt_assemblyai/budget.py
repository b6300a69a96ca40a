"""The budget of new sessions per minute, shared by all processes of a machine.

The service limits how many sessions an account may open in a minute (protocol notes, section 12.5:
5 on a free account, 100 and more on a paid one). A fleet that reconnects at once would be refused,
retry at once and lock itself out. So each session takes a token here before it is opened, and the
token comes back a minute later: no minute sees more sessions than tokens. A locked file holds the
tokens; it outlives processes and stays right whichever of them dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import math
import os
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

__all__ = ["SharedBudget", "file_for", "free", "take"]

logger = logging.getLogger("stt_assemblyai")

_MINUTE_SECONDS = 60.0
_LONGEST_QUEUE_SECONDS = 3600.0  # a time further ahead comes from a reset clock, or is garbage


def take(returns: Sequence[float], tokens: int, now: float) -> tuple[float, list[float]]:
    """Take one of `tokens` tokens: the seconds to wait for it, and the new times of return.

    `returns` are the times, in order, at which tokens come back that were taken before.
    """
    sane = [at for at in returns if now < at < now + _LONGEST_QUEUE_SECONDS]
    out = sorted(sane)
    opening = now if len(out) < tokens else out[-tokens]
    return opening - now, [*out, opening + _MINUTE_SECONDS]


def free(returns: Sequence[float], tokens: int, now: float, within_seconds: float) -> int:
    """How many sessions could be opened within this time, without taking a token."""
    until = now + within_seconds
    return max(0, tokens - sum(until < at < now + _LONGEST_QUEUE_SECONDS for at in returns))


class SharedBudget:
    """Tokens in a file that all processes of this machine share.

    If the file cannot be used, this process has tokens of its own, and one log line says so: a
    session opened too early is refused and tried again, which is better than none.
    """

    def __init__(self, per_minute: int, path: Path) -> None:
        self._tokens = per_minute
        self._path = path
        self._own: list[float] = []
        self._warned = False

    def take(self, now: float, at_most_seconds: float = math.inf) -> float:
        """Take a token: the seconds to wait before opening the session. `now` is unix time.

        Takes none if the wait would be longer than `at_most_seconds`.
        """
        try:
            with self._locked() as file:
                wait_seconds, left = take(_read(file), self._tokens, now)
                if wait_seconds <= at_most_seconds:
                    file.seek(0)
                    file.truncate()
                    file.write(struct.pack(f"<{len(left)}d", *left))
        except OSError as error:
            self._warn(error)
            wait_seconds, left = take(self._own, self._tokens, now)
            if wait_seconds <= at_most_seconds:
                self._own = left
        return wait_seconds

    def free(self, now: float, within_seconds: float) -> int:
        """How many sessions all processes together could open within this time."""
        try:
            with self._locked() as file:
                returns: Sequence[float] = _read(file)
        except OSError as error:
            self._warn(error)
            returns = self._own
        return free(returns, self._tokens, now, within_seconds)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(self._path, flags, 0o600), "r+b") as file:  # noqa: PTH123 - a descriptor
            fcntl.flock(file, fcntl.LOCK_EX)  # held for microseconds
            yield file

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "the budget of new sessions cannot be shared with other processes",
                extra={"file": str(self._path), "error": error.strerror},
            )


def _read(file: BinaryIO) -> tuple[float, ...]:
    stored = file.read()
    return struct.unpack(f"<{len(stored) // 8}d", stored[: len(stored) // 8 * 8])


def file_for(account: str) -> Path:
    """The file of an account's budget on this machine; its name does not give the key away."""
    digest = hashlib.sha256(f"assemblyai budget {account}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"assemblyai-sessions-{os.getuid()}-{digest}"
