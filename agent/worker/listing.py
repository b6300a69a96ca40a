"""When to list all rooms: once a second, less often while nothing happens, rarely with webhooks.

LiveKit's webhooks name the rooms in which something changes. They are relied on while they come:
between two of them, and as long as a listing shows no change that none of them has named.
Times are of one clock, in seconds.
"""

from collections.abc import Collection, Iterable

BUSY_SECONDS = 1.0
IDLE_SECONDS = 3.0
"""The pauses between listings grow up to this while nothing happens."""
RARE_SECONDS = 30.0
"""The pause while webhooks can be relied on."""

SILENT_SECONDS = 3.0
"""Webhooks count as arriving until this long after the last one."""
LATE_SECONDS = 5.0
"""A webhook may come this long after a listing has shown its change."""
NAMED_SECONDS = 60.0
"""The longest delay between a webhook and a listing that shows its change."""
DISTRUST_SECONDS = 600.0
"""After a missing webhook, how long rooms are listed as often as without webhooks."""


class Listing:
    """When the rooms are listed, and whether webhooks say all that a listing would show."""

    def __init__(self, now: float) -> None:
        self._listed_at = now
        self._pause_seconds = BUSY_SECONDS
        self._named_at: dict[str, float] = {}
        self._unnamed_at: dict[str, float] = {}
        self._last_named_at = -SILENT_SECONDS
        self._distrusted_until = now
        self._is_first = True
        self._failing_since: float | None = None

    def at_once(self) -> None:
        """Something may have been missed."""
        self._pause_seconds, self._listed_at, self._is_first = 0.0, float("-inf"), True

    def named(self, rooms: Collection[str], now: float) -> None:
        """Webhooks name these."""
        if rooms:
            self._last_named_at = now
        for each in rooms:
            self._named_at[each] = now
            self._unnamed_at.pop(each, None)

    def is_due(self, now: float, *, knows_others: bool) -> bool:
        """Whether to list now. `knows_others`: other workers' webhooks come here too, or there are
        no other workers."""
        is_rare = knows_others and self.relies_on_webhooks(now)
        return now - self._listed_at >= (RARE_SECONDS if is_rare else self._pause_seconds)

    def relies_on_webhooks(self, now: float) -> bool:
        """Whether webhooks come, and nothing has happened lately without one."""
        if any(now - at > LATE_SECONDS for at in self._unnamed_at.values()):
            self._unnamed_at.clear()
            self._distrusted_until = now + DISTRUST_SECONDS
        return now >= self._distrusted_until and now - self._last_named_at < SILENT_SECONDS

    def failed(self, now: float) -> float:
        """The rooms could not be listed. For how many seconds that has been so."""
        self._listed_at, self._pause_seconds = now, BUSY_SECONDS
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since

    @property
    def is_failing(self) -> bool:
        """Whether the rooms could not be listed the last time."""
        return self._failing_since is not None

    def listed(self, moved: Iterable[str], now: float, *, is_quiet: bool) -> None:
        """The rooms were listed; in these people came or went. `is_quiet`: nothing happens."""
        self._named_at = {
            each: at for each, at in self._named_at.items() if now - at < NAMED_SECONDS
        }
        if not self._is_first:  # the first listing shows what came before
            for each in set(moved) - self._named_at.keys():
                self._unnamed_at.setdefault(each, now)
        self._is_first, self._failing_since = False, None
        longest = IDLE_SECONDS if is_quiet else BUSY_SECONDS
        pause_seconds = max(self._pause_seconds, BUSY_SECONDS) * 1.5
        self._listed_at, self._pause_seconds = now, min(pause_seconds, longest)
