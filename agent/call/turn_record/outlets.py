"""Where the lines of a call go: its record, the terminal, metrics, traces."""

import logging
from collections.abc import Callable, Iterable

from agent.personal_data import CARDS, Rules
from agent.records.schema import PERSONAL, Line

log = logging.getLogger(__name__)

Outlet = Callable[[Line], None]
"""Takes a line at once. It must not wait."""


class Outlets:
    """Gives each line to every outlet, as redacted as the rules want it. An outlet that fails loses
    its line; the call goes on."""

    def __init__(self, outlets: Iterable[Outlet] = (), rules: Rules = CARDS) -> None:
        self._rules = rules
        self.all = list(outlets)
        self._failed: set[int] = set()

    def __call__(self, line: Line) -> None:
        line = self._redacted(line)
        for number, outlet in enumerate(self.all):
            try:
                outlet(line)
            except Exception:  # whatever it is, the caller must not notice
                if number not in self._failed:  # once a call
                    self._failed.add(number)
                    log.exception("what happened in the call could not be told")

    def _redacted(self, line: Line) -> Line:
        found = line.model_dump(exclude_unset=True)
        kept = self._rules.masked_in(found, PERSONAL)
        return line if kept == found else type(line).model_validate(kept)
