"""A warning that comes again and again is told once in ten seconds, with how often it came.

What is overloaded warns several times a second, of the same thing, and each line costs time that
the calls lack: making it, sending it to the worker, searching it for secrets, writing it.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.redaction import PLAIN_FIELDS

SECONDS = 10.0
_MOST_KNOWN = 500
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(slots=True)
class _Told:
    at: float
    left_out: int = 0


class OnceInAWhile(logging.Filter):
    """Lets a warning or an error through if none like it was within `SECONDS`.

    Lines are alike if they have the same logger, level and fields, whatever numbers they tell: one
    of the fields is the room, so two calls can log the same. The next line that is
    let through has the number of those left out as the field `repeated`.
    """

    def __init__(self, but: str = "") -> None:
        """Lines that begin with `but` are let through: somebody else counts them."""
        super().__init__()
        self._but = but
        self._told: dict[tuple[object, ...], _Told] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or (
            self._but and str(record.msg).startswith(self._but)
        ):
            return True
        key = (record.name, record.levelno, *_texts(record))
        told = self._told.get(key)
        if told and 0 <= record.created - told.at < SECONDS:
            told.left_out += 1
            return False
        if told and told.left_out:
            record.repeated = told.left_out
        self._forget(record.created)
        self._told[key] = _Told(record.created)
        return True

    def _forget(self, now: float) -> None:
        """Keep what is known small, whatever is logged."""
        if len(self._told) >= _MOST_KNOWN:
            self._told = {key: told for key, told in self._told.items() if now - told.at < SECONDS}
        if len(self._told) >= _MOST_KNOWN:
            self._told.clear()


def _texts(record: logging.LogRecord) -> Iterator[str]:
    yield _NUMBER.sub("#", str(record.msg))
    for each in record.args if isinstance(record.args, tuple) else ():
        if isinstance(each, str):
            yield each
    for name, value in vars(record).items():
        if isinstance(value, str) and name not in PLAIN_FIELDS and not name.startswith("_"):
            yield f"{name}={value}"
    if record.exc_info and record.exc_info[0]:
        yield record.exc_info[0].__name__
