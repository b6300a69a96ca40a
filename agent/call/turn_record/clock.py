"""The clock of one call: whole milliseconds since the call began."""

import asyncio
import time


class CallClock:
    """Begins when it is made, and again with `begin`. Nobody can set it, unlike the wall's."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.begin()

    def begin(self, ago_seconds: float = 0.0) -> None:
        """The call begins now, or began this many seconds ago."""
        self._began_at = self._loop.time() - ago_seconds
        self.began_at_wall_time = time.time() - ago_seconds
        """The same in unix seconds."""

    def now_ms(self) -> int:
        """The time since the call began."""
        return self.at_ms(self._loop.time())

    def at_ms(self, loop_time: float) -> int:
        """A time of the event loop's clock, in seconds."""
        return round((loop_time - self._began_at) * 1000)

    def of_wall(self, unix_seconds: float) -> int:
        """A wall time of just now, which was taken while nobody set the wall's clock."""
        return self.now_ms() - round((time.time() - unix_seconds) * 1000)
