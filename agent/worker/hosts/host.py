"""The worker's end of a process with several calls, and of the seats in it."""

import contextlib
import logging
import math
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.livekit_private.jobs import PoolOptions, log_listener
from agent.worker.hosts.choice import HostState
from agent.worker.hosts.messages import (
    LONGEST_BYTES,
    CutOff,
    Ended,
    Late,
    Message,
    Open,
    Ready,
    packed,
    unpacked,
)
from agent.worker.hosts.program import HostStart, host_main

log = logging.getLogger(__name__)

CUT_OFF_SECONDS = 3.0
"""A process that cannot even cut a call off within this time is killed."""

CLOSING_SECONDS = 10.0
"""An empty process that has not ended after this time is killed."""


class Host:
    """One process. It is started with its first seat; a thread listens to what it says."""

    def __init__(
        self, options: PoolOptions, seats_each: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = options
        self._seats_each = seats_each
        self._now = now
        self._control, self._their_control = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        log_end, self._their_log = socket.socketpair()
        self._log = log_listener(log_end, self._name_in)
        self._start_lock = threading.Lock()
        self._process: Any = None
        self._has_ended = threading.Event()
        self._late: tuple[float, float] | None = None
        self.seats: dict[int, HostSeat] = {}
        self.calls_held = 0
        self.least_mb = math.inf
        """The least that it has held so far."""
        self.is_open = True
        self._is_closing = False
        self.is_ready = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exitcode(self) -> int | None:
        return self._process.exitcode if self._process else None

    @property
    def memory_mb(self) -> float | None:
        """What it holds (PSS); None where that cannot be read."""
        try:
            told = Path(f"/proc/{self.pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            return None
        found = next((line for line in told.splitlines() if line.startswith("Pss:")), "Pss: 0")
        return int(found.split()[1]) / 1024

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, and every call in it."""
        return self._has_ended.is_set()

    @property
    def state(self) -> HostState:
        calls = sum(each.has_call() for each in self.seats.values())
        return HostState(len(self.seats), calls, self.late_seconds, self.is_open)

    @property
    def late_seconds(self) -> float:
        """How long its event loop has stood still by now."""
        late = self._late
        return late[0] + self._now() - late[1] if late else 0.0

    def add(self, seat: "HostSeat") -> None:
        """Count a seat that will be opened."""
        self.seats[seat.number] = seat

    def open(self, seat: "HostSeat", messages: socket.socket, records: socket.socket) -> None:
        """Open a seat, in a thread. Raises OSError if the process is gone."""
        with self._start_lock:
            if self._process is None:
                self._start()
        ends = [messages.fileno(), records.fileno()]
        socket.send_fds(self._control, [packed(Open(seat.number))], ends)

    def cut_off(self, seat: int) -> None:
        """End this seat's call without asking it; if the process does not, kill the process."""
        with contextlib.suppress(OSError):
            self._control.send(packed(CutOff(seat)))
        last = threading.Timer(CUT_OFF_SECONDS, self._kill_for, [seat])
        last.daemon = True
        last.start()

    def close(self) -> None:
        """Take no more calls; the process ends when it is empty. Call it once it has no seats."""
        self.is_open = False
        if self._is_closing:
            return
        self._is_closing = True
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        if self._process is None:
            self._end()
            return
        last = threading.Timer(CLOSING_SECONDS, self.kill)
        last.daemon = True
        last.start()

    def kill(self) -> None:
        """Kill the process, with every call in it."""
        if self._process and not self.has_ended:
            log.warning("killing a process with calls", extra={"pid": self.pid})
            self._process.kill()

    def wait(self) -> None:
        """Return when the process has ended."""
        self._has_ended.wait()

    def _start(self) -> None:
        root = logging.getLogger()
        names = [name for name, each in root.manager.loggerDict.items() if hasattr(each, "level")]
        levels = {name: logging.getLogger(name).level for name in ["", *names]}
        start = HostStart(
            self._options.functions, self._their_control, self._their_log, levels, self._seats_each
        )
        context: Any = self._options.context
        process = context.Process(target=host_main, args=(start,), name="job_proc")
        process.start()
        self._process = process
        self._their_control.close()
        self._their_log.close()
        # Otherwise Python waits for the process for ever if this is still open.
        multiprocessing.util.Finalize(self, _shut, args=(self._control,), exitpriority=1)
        self._log.start()
        threading.Thread(target=self._listen, name="calls' process", daemon=True).start()

    def _listen(self) -> None:
        while datagram := self._received():
            self._take(unpacked(datagram))
        self._process.join()
        self._end()

    def _received(self) -> bytes:
        try:
            return self._control.recv(LONGEST_BYTES)
        except OSError:
            return b""

    def _take(self, message: Message) -> None:
        match message:
            case Ready():
                self.is_ready = True
            case Ended(number, exitcode, is_clean):
                if not is_clean:
                    self.is_open = False
                if seat := self.seats.pop(number, None):
                    seat.end(exitcode)
            case Late(seconds):
                if seconds and not self._late:
                    said = "the event loop of a process stands still: it gets no calls meanwhile"
                    log.warning(said, extra={"pid": self.pid, "seconds": round(seconds, 1)})
                self._late = (seconds, self._now()) if seconds else None

    def _end(self) -> None:
        self.is_open = False
        self._has_ended.set()
        for number in [*self.seats]:
            self.seats.pop(number).end(self.exitcode or 1)
        self._control.close()
        self._log.stop()

    def _kill_for(self, seat: int) -> None:
        if seat in self.seats:
            self.kill()

    def _name_in(self, record: logging.LogRecord) -> None:
        record.pid = self.pid


class HostSeat:
    """A seat in a process: what LiveKit's executor takes for its own process."""

    def __init__(
        self,
        host: Host,
        number: int,
        ends: tuple[socket.socket, socket.socket],
        has_call: Callable[[], bool],
    ) -> None:
        self._host = host
        self._ends = ends
        self._has_ended = threading.Event()
        self.number = number
        self.has_call = has_call
        self.exitcode: int | None = None
        host.add(self)

    @property
    def pid(self) -> int | None:
        return self._host.pid

    def start(self) -> None:
        try:
            self._host.open(self, *self._ends)
        except BaseException:
            self._host.seats.pop(self.number, None)
            raise

    def join(self) -> None:
        self._has_ended.wait()

    def is_alive(self) -> bool:
        return not self._has_ended.is_set()

    def kill(self) -> None:
        self._host.cut_off(self.number)

    def close(self) -> None:
        """Nothing is left to be closed."""

    def end(self, exitcode: int) -> None:
        """Its call is over, or the process is gone."""
        if not self._has_ended.is_set():
            self.exitcode = exitcode
            self._has_ended.set()


def _shut(control: socket.socket) -> None:
    with contextlib.suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)
