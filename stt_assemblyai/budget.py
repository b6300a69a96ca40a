"""The budget of new sessions per minute, shared by all processes of a machine.

The service limits how many sessions an account may open in a minute (protocol notes, section 12.5:
5 on a free account, 100 and more on a paid one). A fleet that reconnects at once would be refused,
retry at once and lock itself out. So each session is counted here before it is opened, and none is
opened that would be one too many for any minute. The moving window is the library's, `limits`. It
shares none between processes without a server, so its entries are in a locked file; that outlives
processes, and stays right whichever of them dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import logging
import os
import struct
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.storage.memory import Entry
from limits.strategies import MovingWindowRateLimiter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WINDOW_SECONDS", "MachineBudget", "digest_of", "file_for", "pause_seconds", "window"]

logger = logging.getLogger("stt_assemblyai")

WINDOW_SECONDS = 61
"""A second more than the service's minute: for clocks that differ, and for the way to it."""

_SOONEST_SECONDS = 0.001
_KEY = "sessions"


def window(per_minute: int) -> RateLimitItem:
    """So many sessions in any minute."""
    return RateLimitItemPerSecond(per_minute, WINDOW_SECONDS)


def pause_seconds(comes_back_at: float, now: float) -> float:
    """How long to wait, at least, until a place comes back (both unix time)."""
    return max(comes_back_at - now, 0) + _SOONEST_SECONDS


class MachineBudget:
    """So many new sessions in any minute, for all processes of this machine together.

    If the file cannot be used, this process has a count of its own, and one log line says so: a
    session opened too early is refused and tried again, which is better than none.
    """

    def __init__(self, per_minute: int, path: Path) -> None:
        self._item = window(per_minute)
        self._path = path
        self._windows: _InFile | None = None

    async def take(self) -> float:
        """As `take_now`."""
        return self.take_now()

    def take_now(self) -> float:
        """0 if a session may begin now, which is then counted; else how many seconds to wait, at
        least, before asking again. Takes microseconds."""
        if MovingWindowRateLimiter(self._storage).hit(self._item):
            return 0
        return self.pause_seconds() or pause_seconds(0, 0)

    def pause_seconds(self) -> float:
        """How long to wait, at least, until a session may begin; 0 if one may now."""
        stats = MovingWindowRateLimiter(self._storage).get_window_stats(self._item)
        return 0 if stats.remaining else pause_seconds(stats.reset_time, time.time())

    def free(self, within_seconds: float) -> int:
        """How many sessions all processes together could open within this time, less than a
        minute."""
        amount, expiry = self._item.amount, WINDOW_SECONDS - round(within_seconds)
        _, taken = self._storage.get_moving_window(_KEY, amount, expiry)
        return amount - taken

    @property
    def _storage(self) -> _InFile:
        # A process that is forked meanwhile must not have its thread, which ends at once.
        if self._windows is None:
            self._windows = _InFile(self._path)
        return self._windows


class _Unneeded(threading.Timer):
    """In the place of what forgets old entries in a thread: whoever reads the file does."""

    def __init__(self) -> None:
        super().__init__(0, lambda: None)

    def is_alive(self) -> bool:
        return True


class _InFile(MemoryStorage):
    """The library's storage in memory, whose entries are in a file between two questions."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.timer.cancel()
        self.timer.join()
        self.timer = _Unneeded()
        self._path = path
        self._warned = False

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with contextlib.ExitStack() as stack:
            file = self._shared(stack)
            is_acquired = super().acquire_entry(_KEY, limit, expiry, amount)
            if is_acquired and file:
                self._write(file, self.events[_KEY][:limit])
            return is_acquired

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        with contextlib.ExitStack() as stack:
            self._shared(stack)
            return super().get_moving_window(_KEY, limit, expiry)

    def _shared(self, stack: contextlib.ExitStack) -> io.FileIO | None:
        """Read the entries of all processes, and lock the file; None if it cannot be used."""
        try:
            file = stack.enter_context(self._locked())
            self.events[_KEY] = _read(file)
        except OSError as error:
            self._warn(error)
            return None
        return file

    def _write(self, file: io.FileIO, entries: Sequence[Entry]) -> None:
        try:
            file.seek(0)
            file.truncate()
            file.write(struct.pack(f"<{len(entries)}d", *(entry.atime for entry in entries)))
        except OSError as error:
            self._warn(error)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[io.FileIO]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        # Without a buffer: what cannot be written is not written again when the file is closed.
        with io.FileIO(os.open(self._path, flags, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # held for microseconds
            yield file

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "the budget of new sessions cannot be shared with other processes",
                extra={"file": str(self._path), "error": error.strerror},
            )


def _read(file: io.FileIO) -> list[Entry]:
    """The newest first. A time that has not come is of a clock that was set back, or garbage."""
    stored = file.read()
    now = time.time()
    times = struct.unpack(f"<{len(stored) // 8}d", stored[: len(stored) // 8 * 8])
    entries = []
    for at in sorted((at for at in times if 0 <= at <= now), reverse=True):
        entry = Entry(WINDOW_SECONDS)
        entry.atime, entry.expiry = at, at + WINDOW_SECONDS
        entries.append(entry)
    return entries


def file_for(account: str) -> Path:
    """The file of an account's budget on this machine; its name does not give the key away."""
    return Path(tempfile.gettempdir()) / f"assemblyai-budget-{os.getuid()}-{digest_of(account)}"


def digest_of(account: str) -> str:
    """A name for an account that does not give its key away."""
    return hashlib.sha256(f"assemblyai budget {account}".encode()).hexdigest()[:16]
