"""Ctrl-C, SIGTERM and a closed terminal: none is lost, and the first one stops politely.

While LiveKit forks its first job process it ignores Ctrl-C for seconds and would lose one that
comes then. So these signals are blocked, which keeps them, and a thread waits for them. Blocking
has to come before any other thread exists, so before numpy is imported: this module imports next
to nothing.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator

# A second Ctrl-C or SIGTERM hurries. One that comes this soon after the first is a copy of it: GNU
# `timeout` signals the program and then its whole group.
TWIN_SECONDS = 0.2


def stopping() -> set[signal.Signals]:
    """The signals that stop the worker. Under `nohup` a closed terminal does not."""
    stopping = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        stopping.add(signal.SIGHUP)
    return stopping


def block() -> None:
    """Block these signals: each is kept until `listening` takes it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping())


def leave_to_the_worker() -> None:
    """Ignore these signals in a job process; the worker ends it when it is time.

    Systemd, `timeout` and terminals often signal all processes of a worker.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def listening() -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """Two events: the first signal, held ones included, and a second one that hurries.

    A closing terminal sends several SIGHUPs, and none of them hurries.
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
    block()
    # Python 3.11 unblocks two of them in the thread that starts the first job process. A signal
    # delivered there, not to the waiting thread, comes this way.
    for number in numbers:
        loop.add_signal_handler(number, on_signal, number)
    threading.Thread(target=wait, name="signals", daemon=True).start()
    yield stop, hurry
