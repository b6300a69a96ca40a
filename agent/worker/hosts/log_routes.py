"""The log of a process with several calls: each record goes where its call's records go.

A record belongs to the call in whose context it is written. One without a call goes to the
process' own log.
"""

import logging
import socket
from contextvars import ContextVar

from agent.livekit_private.jobs import log_sender


class LogRoute:
    """Where one call's records go. Its thread begins with the first record."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sender: logging.Handler | None = None
        self.is_open = True

    def emit(self, record: logging.LogRecord) -> None:
        """Send it on."""
        if self._sender is None:
            self._sender = log_sender(self._end)
        self._sender.emit(record)

    def close(self) -> None:
        """Close the socket once all records have been sent."""
        self.is_open = False
        if self._sender:
            self._sender.close()
        else:
            self._end.close()


class Routed(logging.Handler):
    """Gives each record to the route of its context."""

    def __init__(self, own: LogRoute, here: ContextVar[LogRoute]) -> None:
        super().__init__()
        self._own = own
        self._here = here

    def emit(self, record: logging.LogRecord) -> None:
        route = self._here.get(self._own)
        (route if route.is_open else self._own).emit(record)
