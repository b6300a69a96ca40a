"""Keeps a fault in the record of a call from reaching the call."""

import functools
import logging
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

log = logging.getLogger(__name__)

C = TypeVar("C")


def harmless(kind: type[C]) -> type[C]:
    """Decorates a class whose public methods only tell: one that fails tells nothing, and is logged
    once in a process. It would end the task that called it, and with it perhaps the call."""
    for name, method in list(vars(kind).items()):
        if isinstance(method, FunctionType) and not name.startswith("_"):
            setattr(kind, name, _guarded(method))
    return kind


def _guarded(method: Callable[..., Any]) -> Callable[..., None]:
    failed: set[str] = set()

    @functools.wraps(method)
    def told(*args: Any, **kwargs: Any) -> None:
        try:
            method(*args, **kwargs)
        except Exception:  # whatever it is
            if not failed:
                failed.add(method.__name__)
                log.exception("the call's record has a fault", extra={"fact": method.__name__})

    return told
