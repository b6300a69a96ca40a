"""Calls that begin: as many at a time as the machine can start at once.

To start a call takes much more of a core than to hold one. Many that start together hold up each
other, and the calls in progress. One after the other, the first caller is greeted sooner, and the
last one no later.
"""

START_CORE_SECONDS = 0.35
"""What a call needs of a core from its acceptance to its greeting."""

LONGEST_WAIT_SECONDS = 1.0
"""A caller who would wait longer is left to another worker, or hears that nobody is free."""

_LEAST_SHARE = 0.1
"""Of the cores, which is there for calls that begin, however busy the machine is."""


class Pace:
    """The starts of one worker. Times are in seconds, on a clock that does not go back."""

    def __init__(self, cores: float) -> None:
        self._cores = cores
        self._queued = 0.0
        """Core seconds that calls which have been accepted still need."""
        self._at = 0.0

    def wait_seconds(self, cpu_used: float, now: float) -> float:
        """How long a call that comes now has to wait. `cpu_used` is the share of the cores in use,
        0 to 1."""
        free = max(1 - cpu_used, _LEAST_SHARE) * self._cores
        self._queued = max(0.0, self._queued - free * max(0.0, now - self._at))
        self._at = now
        # A start is a chain of steps: each core takes one, and one more waits for the network.
        at_once = (self._cores + 1) * START_CORE_SECONDS
        return max(0.0, self._queued + START_CORE_SECONDS - at_once) / free

    def begin(self) -> None:
        """A call has been accepted."""
        self._queued += START_CORE_SECONDS
