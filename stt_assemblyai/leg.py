"""One leg of a stream: one session on one socket, from its connection to its last word.

           take_over()                         finish()                 Termination, or too late
    LISTENING ──────► IN CHARGE ─────────────────────► FINISHING ───────────────────────► settled
                          └── hand_over(): another leg knows all that this one would say ──► settled

It sends the stream's audio at a pace that the service can follow, and passes on what comes back.
A leg that is opened ahead of time keeps what it hears until it takes over. The transcriber decides
what happens next, by `outcome`, `told_until_ms` and `covered_ms`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.client import Closed, DatedSocket, Socket
from stt_assemblyai.connector import Connect
from stt_assemblyai.errors import (
    AssemblyAIError,
    NetworkError,
    RenewalError,
    TransientError,
    fault_of,
)
from stt_assemblyai.events import (
    Ended,
    Noticed,
    Opened,
    Overdue,
    SpeechEvent,
    StreamEvent,
    Unanswered,
)
from stt_assemblyai.inbox import Inbox
from stt_assemblyai.loudness import StallDetector, is_quiet
from stt_assemblyai.messages import ForceEndpoint, Heartbeat, Silence, Terminate, Turn, Unknown
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.protocol import Event, Failed, Heard, Session, State
from stt_assemblyai.sender import Sender
from stt_assemblyai.service import RECOGNITION_MS
from stt_assemblyai.timing import Timing
from stt_assemblyai.turns import TurnMapper

__all__ = ["Leg"]

logger = logging.getLogger("stt_assemblyai")

_AFTER_SILENCE_MS = 1500  # a turn's end is reported at most this long after its silence
_LOOK_EVERY_MS = 200  # how often to check what was sent: live audio has to cost little
_RELEASE_EVERY_MS = 1000
_HEARTBEAT_SECONDS = 15.0  # without a heartbeat; they come every 5 s (section 7.7)
_SHORTEST_INACTIVITY_SECONDS = 5.0  # the shortest timeout of the service itself (section 4)
_PROGRESS_MS = 10_000  # an open turn without a message for longer is stuck


class _State(Enum):
    LISTENING = "listening"
    IN_CHARGE = "in charge"
    FINISHING = "finishing"
    HANDED_OVER = "handed over"


class Leg:
    """One session. `run` it once; `settled` is set when it has nothing more to report.

    It hears the stream from `from_ms` on. If it follows the leg `behind`, it starts at the point
    that leg has reached when this one is connected; until then `from_ms` is infinite. `reason` is
    why it was opened. `options` returns the options in force, which may change while it runs.
    """

    def __init__(
        self,
        dial: Connect,
        options: Callable[[], SessionOptions],
        inbox: Inbox,
        mapper: TurnMapper,
        clock: AudioClock,
        progress: StallDetector,
        emit: Callable[[Leg, StreamEvent], None],
        on_over: Callable[[Leg], None],
        *,
        reason: str,
        timing: Timing,
        from_ms: float = math.inf,
        behind: Leg | None = None,
    ) -> None:
        self._dial = dial
        self._options = options
        self._session = Session(options())
        self._inbox = inbox
        self._outlet = inbox.open()
        self._mapper = mapper
        self._progress = progress
        self._emit = emit
        self._on_over = on_over
        self._timing = timing
        self._behind = behind
        self._state = _State.LISTENING
        self._kept: list[Heard] = []  # until it takes over
        self._dialled_at = 0.0
        self._beat_at: float | None = None  # when the last heartbeat came, or the wait for it began
        self._look_at_ms = self._released_at_ms = 0.0
        self._heard_at_ms = 0.0  # how much audio it had sent when the service last spoke
        self._deaf = False
        self._loop = asyncio.get_running_loop()
        self._socket: Socket | None = None
        self._sender: Sender | None = None
        self._task: asyncio.Task[None] | None = None
        self._work: tuple[asyncio.Task[None], ...] = ()
        self.reason = reason
        self.from_ms = from_ms
        self.clock = clock
        self.begun = asyncio.Event()
        self.settled = asyncio.Event()
        self.asked = options()  # the options with which it was opened
        self.opened: Opened | None = None
        self.opened_at: float | None = None
        self.useful = False  # it reported something new
        self.outcome: Ended | Failed | None = None

    @property
    def retired(self) -> bool:
        """Whether it left the stream to the next leg while it could have gone on."""
        return self._state in (_State.FINISHING, _State.HANDED_OVER)

    @property
    def started(self) -> bool:
        """Whether it runs, or has run."""
        return self._task is not None

    @property
    def failed(self) -> bool:
        """Whether the session ended without being asked to."""
        return isinstance(self.outcome, Failed)

    @property
    def terminated(self) -> bool:
        """Whether the service has said its last word about all that it was sent."""
        return isinstance(self.outcome, Ended) and self.outcome.termination is not None

    @property
    def handed_over(self) -> bool:
        """Whether the next leg knows all that this one would still say."""
        return self._state is _State.HANDED_OVER

    @property
    def idle(self) -> bool:
        """Whether the session was ended, by us or by the service, because no audio came."""
        if isinstance(self.outcome, Failed) and isinstance(self.outcome.error, RenewalError):
            lacking_seconds = self._loop.time() - self._inbox.added_at
            return not self._mapper.in_turn and lacking_seconds >= _SHORTEST_INACTIVITY_SECONDS
        return self._sender is not None and self._sender.idle

    @property
    def told_until_ms(self) -> float:
        """The service has said all there is to say about the stream up to here.

        Without an open turn that is the audio sent, less what the service may not have processed:
        audio sent since we last heard from it, and audio sent faster than real time.
        """
        if self.terminated:
            return self.sent_until_ms
        if self._socket is None or self.opened_at is None:
            return min(self.from_ms, self._mapper.said_until_ms)
        if self._mapper.in_turn or self._deaf:
            return self._mapper.settled_until_ms
        if self._progress.stalled:
            return self._progress.unanswered_from_ms
        now = self._loop.time()
        unheard_ms = (now - self._socket.alive_at) * 1000
        ahead_ms = max(0.0, self.clock.session_ms - (now - self.opened_at) * 1000)
        quiet_until_ms = self.sent_until_ms - unheard_ms - ahead_ms - RECOGNITION_MS
        return max(quiet_until_ms, self._mapper.said_until_ms)

    @property
    def covered_ms(self) -> float:
        """A session that hears the stream from here on misses nothing and can find the splice."""
        if self.opened_at is None:
            return self.from_ms
        told_ms = min(self.told_until_ms, self.sent_until_ms)
        is_stalled = self._progress.stalled
        if not self._mapper.in_turn and (is_stalled or told_ms > self._mapper.said_until_ms):
            return told_ms
        needed_ms = min(self._mapper.needed_from_ms, self.sent_until_ms)
        return max(self.from_ms, needed_ms)  # at the edge of a word

    @property
    def service_ahead_seconds(self) -> float | None:
        """The service's unix time minus the event loop's; None if the service sent no time."""
        return self._socket.ahead_seconds if isinstance(self._socket, DatedSocket) else None

    @property
    def sent_until_ms(self) -> float:
        """How far into the stream it has sent audio."""
        return 0.0 if self._sender is None else self._sender.until_ms

    @property
    def sent_ms(self) -> float:
        """How much audio the session was sent, including silence."""
        return self.clock.session_ms

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Run it as a task of this group."""
        self._task = tasks.create_task(self.run())

    def dismiss(self) -> None:
        """End it properly: it is not needed."""
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Run the session from connection to end. When cancelled it still says goodbye."""
        self._dialled_at, self.asked = self._loop.time(), self._options()
        try:
            async with self._dial(self.asked.query()) as socket:
                await self._converse(socket)
        except AssemblyAIError as refusal:
            self.outcome = Failed(refusal)
        except Exception as error:  # a fault of our own costs this session, never the stream
            logger.warning("An AssemblyAI session failed", extra={"fault": fault_of(error)})
            self.outcome = Failed(TransientError("The session failed here, not at the service"))
        finally:
            self._inbox.close(self._outlet)
            self.settled.set()
            self._on_over(self)

    def take_over(self) -> None:
        """Become the leg that the stream listens to."""
        self._state = _State.IN_CHARGE
        self._inbox.put_in_charge(self._outlet)
        self._progress.restart()
        self._heard_at_ms = self._released_at_ms = self.clock.session_ms
        if self.opened:
            self._mapper.session_id = self.opened.session_id
        for heard in self._kept:
            self._hear(heard)
        self._kept.clear()
        self._outlet.stirred.set()

    def hand_over(self) -> None:
        """Stop here: the next leg knows all that this one would still say, and takes over."""
        self._retire(_State.HANDED_OVER)
        self.settled.set()

    def finish(self) -> None:
        """Send no more, and let the service say its last words about what it was sent."""
        self._retire(_State.FINISHING)

    def _retire(self, state: _State) -> None:
        self._state = state
        for task in self._work:
            task.cancel()

    async def _converse(self, socket: Socket) -> None:
        self._socket = socket
        if self._behind is not None:
            self.from_ms, self._behind = self._behind.sent_until_ms, None
        self._sender = Sender(
            socket,
            self._session,
            self._inbox,
            self._outlet,
            self.clock,
            self._timing,
            from_ms=self.from_ms,
            longest_silence_ms=lambda: self._turn_ends_within_ms,
            in_charge=lambda: self._state is _State.IN_CHARGE,
            in_turn=lambda: self._state is _State.IN_CHARGE and self._mapper.in_turn,
            on_audio=self._on_audio,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._sender.run())
                receiver = tasks.create_task(self._receive())
                receiver.add_done_callback(lambda _: sender.cancel())
                self._work = (sender, receiver)
            await self._say_goodbye()
        except asyncio.CancelledError:
            await self._say_goodbye()
            raise
        finally:
            self._inbox.close(self._outlet)
            self.settled.set()

    async def _say_goodbye(self) -> None:
        """Send Terminate if still due, and wait a bounded time for last words and the usage."""
        assert self._socket is not None
        with contextlib.suppress(Closed, TimeoutError):
            async with asyncio.timeout(self._timing.termination_timeout_seconds):
                if self._session.state is State.OPEN:
                    await self._socket.send(self._session.say(Terminate()))
                if self._session.state is State.ENDING:
                    await self._receive()

    async def _receive(self) -> None:
        assert self._socket is not None
        begin_deadline = self._loop.time() + self._timing.begin_timeout_seconds
        while not self._session.over:
            opening = self._session.state is State.OPENING
            turn_deadline = self._mapper.deadline if self._state is _State.IN_CHARGE else None
            deadline = begin_deadline if opening else turn_deadline
            try:
                if deadline is None:
                    frame = await self._socket.receive()
                else:
                    async with asyncio.timeout_at(deadline):
                        frame = await self._socket.receive()
            except TimeoutError:
                if opening:
                    self._judge(self._session.fail(NetworkError("The session did not begin")))
                elif deadline is not None:  # a loop may wake a tick early, so pass the deadline
                    self._emit_all(self._mapper.expire(deadline))
            except Closed as closed:
                self._judge(self._session.receive_close(closed.code, closed.reason))
            else:
                self._take_frame(frame)

    def _take_frame(self, frame: str | bytes) -> None:
        """A fault in handling a message costs that message and nothing else."""
        try:
            self._judge(self._session.receive(frame))
            faults = self._session.faults
        except Exception as error:  # the next message may be readable, and repeat these words
            faults = [Unknown("", fault_of(error))]
        for fault in faults:
            self._emit(self, Noticed(fault))

    def _judge(self, event: Event | None) -> None:
        match event:
            case Opened():
                self.opened_at = self._loop.time()
                event = replace(event, opening_seconds=self.opened_at - self._dialled_at)
                self.opened = event
                self.begun.set()
                if self._state is _State.IN_CHARGE:
                    self._mapper.session_id = event.session_id
                self._emit(self, event)
                self._outlet.stirred.set()  # messages wait for Begin
            case Heard():
                self._take(event)
            case Noticed():
                self._notice(event)
            case Ended():
                self.outcome = event
                self._emit(self, event)
            case Failed():
                self.outcome = event
            case None:
                pass

    def _take(self, event: Heard) -> None:
        match self._state:
            case _State.LISTENING:
                self._kept.append(event)
            case _State.IN_CHARGE:
                self._hear(event)
            case _State.FINISHING:
                self._hear(_cut_off(event))
            case _State.HANDED_OVER:
                pass  # the next session hears it again

    def _notice(self, event: Noticed) -> None:
        if isinstance(event.message, Heartbeat):
            self._beat_at = self._loop.time()
        if isinstance(event.message, Silence) and self._state is _State.IN_CHARGE:
            self._progress.answered()
        self._emit(self, event)

    def _hear(self, event: Heard) -> None:
        self._progress.answered()
        self._heard_at_ms = self.clock.session_ms
        was_in_turn = self._mapper.in_turn
        told = self._mapper.receive(event.message, self._loop.time())
        self.useful = self.useful or bool(told)
        self._emit_all(told)
        self._listen_for_quiet()
        if self._mapper.in_turn and not was_in_turn:
            self._outlet.stirred.set()  # in a turn the sender watches whether audio goes on

    @property
    def _turn_ends_within_ms(self) -> int:
        """Within this much silence any turn ends, and its end is reported."""
        return self._mapper.endpointing.longest_silence_ms + _AFTER_SILENCE_MS

    def _on_audio(self, at_ms: float, pcm: bytes) -> None:
        """Called from `push`: no fault of ours may reach the caller."""
        try:
            self._after_audio(at_ms, pcm)
        except Exception as error:  # as in `run`
            logger.warning("An AssemblyAI session failed", extra={"fault": fault_of(error)})
            self._give_up("The session failed here, not at the service")

    def _after_audio(self, at_ms: float, pcm: bytes) -> None:  # noqa: C901  a branch a duty
        """Release audio that is covered, and give up a session that is stuck."""
        if self._state is not _State.IN_CHARGE:
            return
        if pcm:
            self._progress.sent(at_ms, pcm)
        if self.clock.session_ms < self._look_at_ms and not self._mapper.endpointing.eager_ms:
            return
        self._look_at_ms = self.clock.session_ms + _LOOK_EVERY_MS
        self._listen_for_quiet()
        if self.clock.session_ms - self._released_at_ms >= _RELEASE_EVERY_MS:
            self._released_at_ms = self.clock.session_ms
            # words may end after the audio that was sent, and what was not sent is still needed
            needed_ms = min(self.covered_ms, self._progress.unanswered_from_ms, self.sent_until_ms)
            self._inbox.replay.release(self._inbox.replay.position(needed_ms))
        if self._heartbeat_stopped():
            self._give_up("The session's heartbeat stopped")
        if self._progress.stalled and not self._mapper.in_turn:
            self._give_up("The service says nothing of the speech that it is sent")
        if self.opened_at is None or not self._mapper.in_turn:
            self._heard_at_ms = self.clock.session_ms
            return
        carried_until_ms = self._mapper.carried_until_ms
        if carried_until_ms is not None:
            due_ms = carried_until_ms - self.from_ms + self._turn_ends_within_ms
            if self.clock.session_ms >= due_ms:
                self._emit_all(self._mapper.give_up_carried())
        elif self.clock.session_ms - self._heard_at_ms > self._turn_ends_within_ms + _PROGRESS_MS:
            self._give_up("The service stopped transcribing")

    def _heartbeat_stopped(self) -> bool:
        """Heartbeats may be switched on and off while the session is open."""
        if self.opened_at is None or not self._options().session_heartbeat:
            self._beat_at = None
        elif self._beat_at is None:
            self._beat_at = self._loop.time()
        return self._beat_at is not None and self._loop.time() - self._beat_at > _HEARTBEAT_SECONDS

    def _listen_for_quiet(self) -> None:
        word, quiet_ms = self._mapper.awaits_quiet_after, self._mapper.endpointing.eager_ms
        if (
            word is not None
            and quiet_ms is not None
            and is_quiet(self._inbox.replay, word, quiet_ms)
        ):
            self._emit_all(self._mapper.fell_quiet())

    def _give_up(self, summary: str) -> None:
        self._judge(self._session.fail(TransientError(summary)))
        for task in self._work:
            task.cancel()

    def _emit_all(self, events: tuple[SpeechEvent, ...]) -> None:
        for event in events:
            self._emit(self, event)
            if isinstance(event, Overdue):  # at once, before any audio that is still to be sent
                self._outlet.messages.appendleft((0, ForceEndpoint()))
                self._outlet.stirred.set()
            if isinstance(event, Unanswered):
                self._deaf = True
                self._give_up("The service stopped transcribing")


def _cut_off(event: Heard) -> Heard:
    """The message without its end of turn: Terminate ends any turn, but this one may go on."""
    message = event.message
    if not isinstance(message, Turn):
        return event
    return Heard(
        message.model_copy(
            update={"end_of_turn": False, "end_of_turn_confidence": 0.0, "utterance": ""}
        )
    )
