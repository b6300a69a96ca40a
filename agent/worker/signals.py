"""Ctrl-C, SIGTERM and a closed terminal, none of which is lost: the first stops politely.

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

# A second Ctrl-C or SIGTERM hurries. One that comes this soon after the first is its twin: GNU
# `timeout` signals the program and then its whole group.
TWIN_SECONDS = 0.2


def stopping() -> set[signal.Signals]:
    """The signals that stop the worker. `nohup` has it live on when its terminal closes."""
    stopping = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        stopping.add(signal.SIGHUP)
    return stopping


def hold() -> None:
    """Keep these signals from now on until somebody listens."""
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping())


def leave_to_the_worker() -> None:
    """Ignore them, in a process that the worker itself ends when it is time.

    Whoever stops a worker often signals all its processes: systemd, `timeout`, a terminal.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def listening() -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """Two events: the first of these signals, held ones included, and one that hurries.

    A terminal that closes says so several times, and hurries nobody.
    """
    loop = asyncio.get_running_loop()
    stop, hurry = asyncio.Event(), asyncio.Event()
    twins_until = 0.0

    def on_signal(number: int) -> None:
        nonlocal twins_until
        if not stop.is_set():
            stop.set()
            twins_until = loop.time() + TWIN_SECONDS
        elif number != signal.SIGHUP and loop.time() >= twins_until:
            hurry.set()

    def wait() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: the program is ending
            while True:
                loop.call_soon_threadsafe(on_signal, signal.sigwait(numbers))

    numbers = stopping()
    hold()
    # Python 3.11 unblocks two of them in the thread that starts the first job process: one that is
    # delivered there, not to the thread that waits, comes this way.
    for number in numbers:
        loop.add_signal_handler(number, on_signal, number)
    threading.Thread(target=wait, name="signals", daemon=True).start()
    yield stop, hurry
