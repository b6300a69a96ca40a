"""Where the lines of a call go: its record, the terminal, metrics, traces."""

import logging
from collections.abc import Callable, Iterable

from agent.records.schema import Line

log = logging.getLogger(__name__)

Outlet = Callable[[Line], None]
"""Takes a line at once. It must not wait."""


class Outlets:
    """Gives each line to every outlet. One that fails loses its line; the call goes on."""

    def __init__(self, outlets: Iterable[Outlet] = ()) -> None:
        self.all = list(outlets)
        self._failed: set[int] = set()

    def __call__(self, line: Line) -> None:
        for number, outlet in enumerate(self.all):
            try:
                outlet(line)
            except Exception:  # whatever it is, the caller must not notice
                if number not in self._failed:  # once a call
                    self._failed.add(number)
                    log.exception("what happened in the call could not be told")
