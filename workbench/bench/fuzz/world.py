"""Plays the shell of one `Stream`, with a clock of its own: no sockets, no waiting.

The far end of each connection is a `Service`'s. Whatever must hold for every stream is checked at
each step; `AssertionError` says what did not.
"""

import heapq
import itertools
import json
import math
from collections.abc import Callable
from typing import Protocol

from stt_assemblyai.actions import Close, Connect, Emit, Send
from stt_assemblyai.attempt import Connection
from stt_assemblyai.errors import AssemblyAIError, ConfigurationError
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interim,
    Opened,
    SessionUsage,
    StartOfSpeech,
    StreamEvent,
)
from stt_assemblyai.stream import Stream
from workbench.bench.fuzz.balance import Balance

__all__ = ["FarEnd", "Service", "World"]

_LONGEST_SECONDS = 900.0  # a stream ends within this once its service behaves
_TICKS_AT_ONCE = 50  # more without progress of the clock are a loop without an end
_LATEST_MS = 5_100  # after all audio: a word's end is padded by less


class FarEnd(Protocol):
    """The service's side of one connection."""

    def take(self, frame: str | bytes) -> bool:
        """A frame has arrived; False if it does not fit into the pipe: it is offered again."""


class Service(Protocol):
    """Answers attempts to connect."""

    def open(self, world: "World", key: int) -> FarEnd:
        """The far end of a new connection, which may use `world.say` and `world.drop`. Raises
        `AssemblyAIError` to refuse it."""


class World:
    """One stream, its service, and their clock. `steps` counts the verbs that the stream heard."""

    def __init__(
        self,
        stream: Stream,
        service: Service,
        *,
        delay_seconds: Callable[[], float] = lambda: 0.0,
        ahead_seconds: Callable[[], float | None] = lambda: None,
        host_ahead_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.stream = stream
        self.now = 0.0
        self.steps = 0
        self.events: list[StreamEvent] = []
        self.told_at: list[float] = []  # when each event was
        self.far_ends: dict[int, FarEnd] = {}
        self.connected_at: list[float] = []
        self._service = service
        self._delay_seconds = delay_seconds
        self._ahead_seconds = ahead_seconds
        self._host_ahead_seconds = host_ahead_seconds
        self._balance = Balance()
        self._open: set[int] = set()  # sessions that are not closed
        self._sending: set[int] = set()  # those that were sent audio, and no Terminate yet
        self.most_sending = 0  # at once
        self._pipes: dict[int, list[str | bytes]] = {}  # what a slow connection has not taken
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._ticks_at_once = 0

    def tell(self, verb: Callable[..., object], *what: object) -> None:
        """Tell the stream something, and carry out what it wants."""
        self.steps += 1
        try:
            verb(*what, self.now)
        except ConfigurationError:
            assert verb == self.stream.update, "an error that is not for the caller"
            raise
        self._carry_out()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do this when its time comes."""
        heapq.heappush(self._agenda, (max(when, self.now), next(self._numbers), do))

    def say(self, key: int, frame: str | bytes) -> None:
        """The far end says this now."""
        if key in self._open:
            self.tell(self.stream.receive, key, frame)

    def drop(self, key: int, code: int = 1006, reason: str = "") -> None:
        """The connection ends now."""
        if key in self._open:
            self.tell(self.stream.closed, key, code, reason)

    def advance(self, until: float) -> None:
        """Let time pass: whatever is due happens in its order."""
        while True:
            deadline = self.stream.deadline()
            due = min(deadline, self._agenda[0][0] if self._agenda else math.inf)
            if due > until:
                self.now = until
                return
            self._note_progress(due)
            if self._agenda and self._agenda[0][0] <= deadline:
                heapq.heappop(self._agenda)[2]()
            else:
                self.tell(self.stream.tick)

    def finish(self) -> None:
        """Wait until the stream is over, and check it as a whole."""
        until = self.now + _LONGEST_SECONDS
        while not self.stream.over and self.now < until:
            self.advance(self.now + 1.0)
        assert self.stream.over, "the stream does not end"
        assert not self._balance.speaking, "a start without an end"
        assert not self._open, "a connection that is never closed"
        opened = sum(isinstance(event, Opened) for event in self.events)
        usages = sum(isinstance(event, SessionUsage) for event in self.events)
        assert usages == opened, "a session without its usage"
        for sooner, later in itertools.pairwise(self.connected_at[::12]):
            assert later - sooner >= 10, "twelve connections within ten seconds"

    def _note_progress(self, due: float) -> None:
        self._ticks_at_once = 0 if due > self.now else self._ticks_at_once + 1
        assert self._ticks_at_once < _TICKS_AT_ONCE + len(self._agenda), "time stands still"
        self.now = max(self.now, due)

    def _carry_out(self) -> None:
        while todo := self.stream.actions():
            for action in todo:
                match action:
                    case Emit(event):
                        self._emit(event)
                    case Connect(key):
                        self._connect(key)
                    case Close(key):
                        self._open.remove(key)
                        self._sending.discard(key)
                    case Send(key, frame):
                        self._send(key, frame)

    def _emit(self, event: StreamEvent) -> None:
        self._balance.check([event])
        self.events.append(event)
        self.told_at.append(self.now)
        latest_ms = self.stream.input.end_ms + _LATEST_MS
        match event:
            case StartOfSpeech(start_ms=at_ms) | EndOfSpeech(speech_end_ms=at_ms):
                assert 0 <= at_ms <= latest_ms, "a time outside the audio"
            case Interim(transcript=said) | Final(transcript=said):
                for word in said.words:
                    within = 0 <= word.start_ms <= word.end_ms <= latest_ms
                    assert within, "a word outside the audio"
            case _:
                pass

    def _connect(self, key: int) -> None:
        assert key not in self._open, "one session is connected twice"
        assert not self._pipes.get(key), "a session that was closed is back"
        assert len(self._sending) <= 1, "a third session hears the same audio"
        self._open.add(key)
        self.connected_at.append(self.now)
        self.at(self.now + self._delay_seconds(), lambda: self._answer(key))

    def _answer(self, key: int) -> None:
        if key not in self._open:
            return
        try:
            self.far_ends[key] = self._service.open(self, key)
        except AssemblyAIError as refusal:
            self.tell(self.stream.refused, key, refusal)
            return
        connection = Connection(self.now, self._ahead_seconds(), self._host_ahead_seconds())
        self.tell(self.stream.connected, key, connection)

    def _send(self, key: int, frame: str | bytes) -> None:
        assert key in self._open, "a frame for a session that is closed"
        if isinstance(frame, bytes):
            assert len(frame) % 2 == 0, "half a sample"
            self._sending.add(key)
            self.most_sending = max(self.most_sending, len(self._sending))
        elif json.loads(frame)["type"] == "Terminate":
            self._sending.discard(key)
        pipe = self._pipes.setdefault(key, [])
        if not pipe and self.far_ends[key].take(frame):
            return
        pipe.append(frame)
        if len(pipe) == 1:
            self.steps += 1
            self.stream.blocked(key, self.now)
            self.at(self.now + 0.1, lambda: self._drain(key))

    def _drain(self, key: int) -> None:
        pipe = self._pipes[key]
        while pipe and key in self._open and self.far_ends[key].take(pipe[0]):
            del pipe[0]
        if pipe and key in self._open:
            self.at(self.now + 0.1, lambda: self._drain(key))
        else:
            pipe.clear()
            self.tell(self.stream.drained, key)
