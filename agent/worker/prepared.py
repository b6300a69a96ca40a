"""What one process prepares for its calls, once: job processes forked from it find it there."""

from collections.abc import Callable
from typing import Any

from config.settings import Settings

Prepare = Callable[[Settings], Any]

_prepared: list[tuple[Settings, Prepare, Any]] = []
"""At most one."""


def prepared_once(prepare: Prepare, settings: Settings) -> Any:
    """What `prepare` makes of these settings. It is called once for the same ones, in this process
    or in the one that this was forked from. Raises what `prepare` raises."""
    for for_settings, by, parts in _prepared:
        if (for_settings, by) == (settings, prepare):
            return parts
    parts = prepare(settings)
    _prepared[:] = [(settings, prepare, parts)]
    return parts
