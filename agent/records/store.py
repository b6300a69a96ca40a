"""Where records go when a call is over: another folder, or an object store.

Without a store they stay where they are written. A store only has to take, give and remove files by
name. The record of a running call may be there as well, so that an agent on another machine can go
on with it (`LIVE`).
"""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

LIVE = "live"
"""What running calls have recorded: `live/RM_abc.jsonl`."""


class StoreError(Exception):
    """The store did not take it or did not answer; it may be tried again. One short sentence."""


class Store(Protocol):
    """Files by name; a name has `/` between its parts."""

    async def put(self, name: str, file: Path) -> None:
        """Keep this file, in the place of an earlier one. Raises StoreError."""

    async def get(self, name: str) -> bytes | None:
        """The contents of a file; None if there is none. Raises StoreError."""

    async def remove(self, name: str) -> None:
        """Remove a file, if there is one. Raises StoreError."""


class FolderStore:
    """A folder, such as one that several machines share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, file: Path) -> None:
        try:
            await asyncio.to_thread(self._put, self._folder / name, file)
        except OSError as error:
            raise StoreError(error.strerror or type(error).__name__) from None

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self._folder / name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(error.strerror or type(error).__name__) from None

    async def remove(self, name: str) -> None:
        try:
            await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)
        except OSError as error:
            raise StoreError(error.strerror or type(error).__name__) from None

    @staticmethod
    def _put(to: Path, file: Path) -> None:
        """Whole or not at all: under another name first."""
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=to.parent, prefix=".", delete=False) as copy:
            try:
                with file.open("rb") as source:
                    shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
                Path(copy.name).replace(to)
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
