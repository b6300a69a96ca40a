"""One session of a stream, from the attempt to connect to its last word; no clock and no socket.

A session that is opened ahead of time keeps what it hears until it takes over.

      AHEAD --takes over--> ACTIVE --finishes--> FINISHING
      AHEAD --leaves--> LEAVING
      ACTIVE --leaves--> LEAVING

One that is FINISHING says its last words; one that is LEAVING is not heard any more. Each may come
to its end at any moment, and then has an `outcome`. Time is an argument, in seconds on any
monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from stt_assemblyai.audio import to_mulaw
from stt_assemblyai.errors import AssemblyAIError, NetworkError, RenewalError, TransientError
from stt_assemblyai.events import Ended, Opened
from stt_assemblyai.messages import ClientMessage, Terminate
from stt_assemblyai.outbox import Chunk
from stt_assemblyai.protocol import Event, Failed, Heard, Session, State
from stt_assemblyai.usage import Sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stt_assemblyai.options import SessionOptions
    from stt_assemblyai.outbox import Input, Outbox
    from stt_assemblyai.timing import Timing

__all__ = ["Attempt", "Connection", "Role"]

_SHORTEST_INACTIVITY_SECONDS = 5.0  # the shortest timeout of the service itself (section 4)


class Role(Enum):
    """What a session is to its stream; see the diagram above."""

    AHEAD = "ahead"
    ACTIVE = "active"
    FINISHING = "finishing"
    LEAVING = "leaving"


@dataclass(slots=True)
class Connection:
    """The peer was last heard at `alive_at`. It takes no frames since `blocked_at`; if that is
    infinite, it takes them.

    The peer's unix time is `ahead_seconds` more than our clock (None if it sent none), this
    machine's unix time `host_ahead_seconds` more.
    """

    alive_at: float
    ahead_seconds: float | None = None
    host_ahead_seconds: float = 0.0
    blocked_at: float = math.inf

    @property
    def is_blocked(self) -> bool:
        return self.blocked_at < math.inf


class Attempt:
    """One session. `key` tells it from the stream's others; `reason` is why it is opened.

    `options` are those with which it is opened. It is over as soon as it has an `outcome`.
    """

    def __init__(
        self, key: int, reason: str, options: SessionOptions, outbox: Outbox, timing: Timing
    ) -> None:
        self.key = key
        self.reason = reason
        self.options = options
        self.outbox = outbox
        self.session = Session(options)
        self.role = Role.AHEAD
        self.connection: Connection | None = None
        self.opened: Opened | None = None
        self.opened_at = math.inf
        self.outcome: Ended | Failed | None = None
        self.idle = False  # it is ended because no audio comes
        self.kept: list[Heard] = []  # until it takes over
        self._sends_mulaw = options.encoding == "pcm_mulaw"
        self._timing = timing
        self._begun_at = math.inf  # when the attempt to connect began
        self._due_at = math.inf  # for Begin, or for the Termination

    @property
    def over(self) -> bool:
        """Whether nothing more will come, and the connection is to be closed."""
        return self.outcome is not None

    @property
    def has_reported_all(self) -> bool:
        """Whether it has nothing more to report."""
        return self.over or self.role is Role.LEAVING

    @property
    def retired(self) -> bool:
        """Whether it left the stream to another session while it could have gone on."""
        return self.role is Role.FINISHING or self.role is Role.LEAVING

    @property
    def terminated(self) -> bool:
        """Whether the service has said its last word about all that it was sent."""
        return isinstance(self.outcome, Ended) and self.outcome.termination is not None

    @property
    def billed_seconds(self) -> float | None:
        """The service's own figure; None if it gave none."""
        termination = self.outcome.termination if isinstance(self.outcome, Ended) else None
        return termination.session_duration_seconds if termination else None

    @property
    def sent(self) -> Sent:
        """What it was sent."""
        return Sent(self.outbox.from_ms, self.outbox.until_ms, self.outbox.clock.session_ms)

    @property
    def error(self) -> AssemblyAIError | None:
        """Why it ended without being asked to; None otherwise."""
        return self.outcome.error if isinstance(self.outcome, Failed) else None

    @property
    def may_send(self) -> bool:
        """Whether it takes audio and messages now."""
        connection = self.connection
        if connection is None or connection.is_blocked or self.retired or self.over:
            return False
        return self.session.state in (State.OPENING, State.OPEN)  # audio need not wait (section 6)

    @property
    def may_answer(self) -> bool:
        """Whether it means something if the service says nothing on it."""
        connection = self.connection
        if connection is None or connection.is_blocked or self.over:
            return False
        return self.role is Role.ACTIVE

    @property
    def is_open(self) -> bool:
        return self.session.state is State.OPEN

    @property
    def has_more(self) -> bool:
        """Whether there is something to send: now, when its pace allows, or once it is open."""
        return self.outbox.has_more(is_open=True, ended=False)

    def cause(self, *, in_turn: bool) -> AssemblyAIError | None:
        """Why another session is needed after this one, if so. After a break at the end: if last
        words are missing."""
        match self.outcome:
            case Failed(error=error):
                return error
            case Ended(termination=None, error=error) if in_turn or self.retired:
                return error
            case _:
                return None

    def was_idle(self, audio: Input, now: float, *, in_turn: bool) -> bool:
        """Whether it was ended, by us or by the service, because no audio came."""
        if isinstance(self.error, RenewalError):
            late_seconds = now - audio.added_at
            return not in_turn and late_seconds >= _SHORTEST_INACTIVITY_SECONDS
        return self.idle and (self.terminated or not in_turn)

    def take_over(self) -> None:
        """Become the session that the stream listens to."""
        if self.role is Role.AHEAD:
            self.role = Role.ACTIVE

    def connect(self, now: float) -> str:
        """The query to connect with."""
        self._begun_at = now
        return self.options.query()

    def connected(self, connection: Connection, until_ms: float, now: float) -> None:
        """The connection is there. A session that is opened ahead of time hears the stream from
        where the active one has come to, which is `until_ms`."""
        self.connection = connection
        self._due_at = now + self._timing.begin_timeout_seconds
        from_ms = self.outbox.from_ms
        self.outbox.start(until_ms if from_ms == math.inf else from_ms, now)

    def alive(self, at: float) -> None:
        """The peer was last heard then, if there is one already."""
        if self.connection is not None:
            self.connection.alive_at = at

    def set_blocked_at(self, at: float) -> None:
        """Its connection takes no more frames from then on; infinite: it takes them again."""
        if self.connection is not None:
            self.connection.blocked_at = at

    def receive(self, frame: str | bytes, now: float) -> Event | None:
        """Handle a frame of the service."""
        self.alive(now)
        return self._noted(self.session.receive(frame), now)

    def closed(self, code: int, reason: str, now: float) -> Event | None:
        """The connection is closed; 1006 means that it broke."""
        return self._noted(self.session.receive_close(code, reason), now)

    def fail(self, error: AssemblyAIError, now: float) -> Event | None:
        """Give the session up for a reason of our own, or because it cannot be connected."""
        return self._noted(self.session.fail(error), now)

    def expire(self, now: float) -> Event | None:
        """Give up a session that did not begin or end in time, or takes no audio for long."""
        if now >= self._stuck_at:
            return self.fail(NetworkError("The connection takes no more audio"), now)
        if now < self._due_at:
            return None
        if self.session.state is State.OPENING:
            return self.fail(NetworkError("The session did not begin"), now)
        return self.fail(TransientError("The session did not finish in time"), now)

    def frames(self, now: float, *, ended: bool) -> Iterator[tuple[str | bytes, Chunk | None]]:
        """Each frame that is due, with the chunk of audio that it holds."""
        ended = ended or self.idle
        while self.outbox.has_more(is_open=self.is_open, ended=ended) and self.may_send:
            what = self.outbox.take(now, is_open=self.is_open, ended=ended)
            if what is None:
                return
            if isinstance(what, Chunk):
                yield self.encoded(what), what
            else:
                yield self._say(what, now), None

    def push_live(self, pcm: bytes | memoryview, now: float, *, may_wait: bool) -> bytes | None:
        """The frame for live audio, as `Outbox.push_live` has it: perhaps empty, None for more."""
        chunk = self.outbox.push_live(pcm, now, may_wait=may_wait)
        return to_mulaw(chunk) if chunk and self._sends_mulaw else chunk

    def encoded(self, chunk: Chunk) -> bytes:
        """The frame for a chunk."""
        return to_mulaw(chunk.pcm) if self._sends_mulaw else chunk.pcm

    def late_at(self, audio: Input, *, in_turn: bool) -> float:
        """When audio is so late that something has to be done.

        In mid-turn the turn would stay open for ever (protocol notes, section 6); between turns
        the session would be billed (section 14). Infinite while there is something to send.
        """
        if self.idle or audio.ended or self.has_more or not self.may_send:
            return math.inf
        since = max(self.outbox.busy_at, audio.added_at)
        if in_turn:
            in_silence = self.outbox.silence_ms and audio.added_at <= self.outbox.busy_at
            late_ms = self._timing.chunk_ms if in_silence else self._timing.mute_after_ms
            return since + late_ms / 1000
        if self.role is Role.ACTIVE and self.is_open and self._timing.idle_seconds:
            return since + self._timing.idle_seconds
        return math.inf

    def deadline(self, *, ended: bool) -> float:
        """When to look again if nothing comes; late audio is not counted."""
        if not self.may_send:
            return min(self._due_at, self._stuck_at)
        ended = ended or self.idle
        return min(self._due_at, self.outbox.ready_at(is_open=self.is_open, ended=ended))

    def end_as(self, role: Role, now: float) -> str | None:
        """Send no more, and end it in this role within a bounded time. Returns the last frame."""
        if self.retired or self.over:
            return None
        self.role = role if self.role is Role.ACTIVE else Role.LEAVING
        if self.is_open:
            return self._say(Terminate(), now)
        if self.session.state is State.OPENING:
            self.outcome = Ended(None)
        return None

    @property
    def _stuck_at(self) -> float:
        if self.connection is None or self.over:
            return math.inf
        return self.connection.blocked_at + self._timing.begin_timeout_seconds

    def _say(self, message: ClientMessage, now: float) -> str:
        if isinstance(message, Terminate):
            self._due_at = now + self._timing.termination_timeout_seconds
        return self.session.say(message)

    def _noted(self, event: Event | None, now: float) -> Event | None:
        if isinstance(event, Opened):
            event = replace(event, opening_seconds=now - self._begun_at)
            self.opened, self.opened_at = event, now
            self._due_at = math.inf
            self.outbox.stir(now)  # messages wait for Begin
        if isinstance(event, Ended | Failed):
            self.outcome = event
        return event
