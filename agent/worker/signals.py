"""Ctrl-C and SIGTERM, none of which is lost: the first stops politely, the second hurries.

While LiveKit forks its first job process it ignores Ctrl-C, for seconds, and would lose one that
comes then. A signal that is blocked is kept instead, and a thread waits for it. Blocking has to
come before any other thread exists, so before numpy is imported; this module imports next to
nothing.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator

STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})


def hold() -> None:
    """Keep these signals from now on until somebody listens."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


@contextlib.contextmanager
def listening() -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """Two events: the first Ctrl-C or SIGTERM, held ones included, and the second."""
    loop = asyncio.get_running_loop()
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    def wait() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: the program is ending
            while True:
                signal.sigwait(STOPPING)
                loop.call_soon_threadsafe(on_signal)

    hold()
    threading.Thread(target=wait, name="signals", daemon=True).start()
    yield stop, hurry
