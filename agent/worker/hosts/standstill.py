"""Notices from a thread that an event loop stands still, and in whose context it does.

A loop that stands still because the machine has no time for its process is nobody's fault: then
this thread did not get to run in time either.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass

from agent.livekit_private.jobs import context_running_in

BEAT_SECONDS = 0.5
STANDSTILL_SECONDS = 0.5
"""A loop that is later than this stands still: callers hear it."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """A loop has stood still, and runs again."""

    seconds: float
    context: Context | None
    """In which it stood still; None if nobody's."""


class StandstillWatch:
    """Watches the running loop until `stop`."""

    def __init__(
        self,
        on_late: Callable[[float], None],
        on_over: Callable[[Standstill], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_late` is called in the thread while the loop stands still, with seconds; `on_over` on
        the loop, once it runs again."""
        self._on_late = on_late
        self._on_over = on_over
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._context: Context | None = None
        self._is_late = False
        self._thread_late = 0.0
        self._beat_at = now()
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="standstill", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            asleep_at = self._now()
            if self._stop.wait(BEAT_SECONDS / 2):
                return
            woke_at = self._now()
            with self._lock:
                late = woke_at - self._beat_at - BEAT_SECONDS
                self._thread_late = max(self._thread_late, woke_at - asleep_at - BEAT_SECONDS / 2)
                if late < STANDSTILL_SECONDS:
                    continue
                if not self._is_late:
                    self._is_late = True
                    self._context = context_running_in(self._loop_thread)
            self._on_late(late)

    def _beat(self) -> None:
        with self._lock:
            now = self._now()
            late, self._beat_at = now - self._beat_at - BEAT_SECONDS, now
            is_ours = self._thread_late < late / 2
            over = Standstill(late, self._context if is_ours else None)
            was_late, self._is_late = self._is_late, False
            self._context, self._thread_late = None, 0.0
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)
        if was_late:
            self._on_over(over)
