"""Passes what calls report from their job processes to the worker, whose page of metrics has it.

Prometheus' own way, a file for each process, would leave a file behind for each call. Here job
processes tell the worker through a pipe, which goes when the worker goes.
"""

import asyncio
import contextlib
import json
import os
import select
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

_LENGTH_BYTES = 4  # `Connection` puts them before each message
_LOST_BYTES = 24  # `,"lost":` and a number
LONGEST_BYTES = select.PIPE_BUF - _LENGTH_BYTES - _LOST_BYTES
"""A pipe takes up to PIPE_BUF bytes in one piece, however many processes write."""

AT_ONCE = 100
"""Messages that are read before the event loop gets its turn again."""


class Sender:
    """Reports to the worker from a job process; it can be passed to a new process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lost = 0

    def __call__(self, message: Mapping[str, Any]) -> None:
        """Send one message. No call waits: if the worker is gone or does not read, or the message
        is longer than `LONGEST_BYTES`, it is lost, and the next one that arrives says so."""
        lost, self._lost = self._lost, self._lost + 1
        if len(_packed(message)) > LONGEST_BYTES:
            return
        with contextlib.suppress(OSError):
            self._pipe.send_bytes(_packed({**message, "lost": lost} if lost else message))
            self._lost = 0


class Tally:
    """The worker's end."""

    def __init__(self, take: Callable[[Mapping[str, Any]], None]) -> None:
        """`take` is called with each message, on the event loop. A message may have the number of
        those that were lost before it, as `lost`."""
        self._take = take
        self._reader, writer = Pipe(duplex=False)
        os.set_blocking(writer.fileno(), False)
        self.sender = Sender(writer)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take what arrives, on the running event loop."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._reader.fileno(), self._read)
        try:
            yield
        finally:
            loop.remove_reader(self._reader.fileno())

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            if not self._reader.poll():
                return
            self._take(json.loads(self._reader.recv_bytes()))


def _packed(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
