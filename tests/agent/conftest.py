"""What tests of the worker share."""

import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from agent.redaction import remember_sent


@pytest.fixture
def _restored_logging() -> Iterator[None]:
    """Leave logging as it was before a test that configures it."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    filters = [handler.filters[:] for handler in handlers]
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:] = handlers
    for handler, kept in zip(handlers, filters, strict=True):
        handler.filters[:] = kept
    root.setLevel(level)
    logging.raiseExceptions = raising
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    for _ in range(8):
        remember_sent(b"{}")
