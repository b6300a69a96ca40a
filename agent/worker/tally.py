"""Puts what job processes count on the worker's page of metrics.

Prometheus' own way, a file for each process, would leave a file behind for each call. Here job
processes tell the worker through a pipe, which goes when the worker goes. The pipe takes such short
messages in one piece, however many processes write.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from prometheus_client import Counter


class Sender:
    """Reports to the worker from a job process; it can be passed to a new process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, kind: str, is_right: bool) -> None:
        """Count one more. No call waits: if the worker is gone or does not read, it is lost."""
        with contextlib.suppress(OSError):
            self._pipe.send_bytes(f"{kind} {str(is_right).lower()}".encode())


class Tally:
    """The worker's end: adds to a counter with the labels `kind` and `outcome`."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._reader, writer = Pipe(duplex=False)
        os.set_blocking(writer.fileno(), False)
        self.sender = Sender(writer)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Count what arrives, on the running event loop."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._reader.fileno(), self._read)
        try:
            yield
        finally:
            loop.remove_reader(self._reader.fileno())

    def _read(self) -> None:
        while self._reader.poll():
            kind, outcome = self._reader.recv_bytes().decode().split(" ")
            self._counter.labels(kind=kind, outcome=outcome).inc()
