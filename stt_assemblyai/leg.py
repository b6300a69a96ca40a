"""One leg of a stream: one session on one socket, from its first frame to its last.

It sends what the stream has recorded, at the pace the service follows, and hands on what comes
back. It decides nothing about what happens after it; `outcome` and `covered_ms` say how it ended.
A leg that is retired, because the next one is ready, leaves what it has not covered to that one.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from stt_assemblyai.audio import Tape
from stt_assemblyai.client import Closed, PromptSocket, Socket
from stt_assemblyai.clock import AudioClock
from stt_assemblyai.errors import NetworkError, TransientError
from stt_assemblyai.hush import is_quiet, voice_end_ms
from stt_assemblyai.messages import ClientMessage, ForceEndpoint, Heartbeat, Silence, Terminate
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.pace import Pacer
from stt_assemblyai.progress import Progress
from stt_assemblyai.protocol import Ended, Event, Failed, Heard, Noticed, Opened, Session, State
from stt_assemblyai.speech import EndOfSpeech, Final, Overdue, SpeechEvent, SpokenWord, Unanswered
from stt_assemblyai.turns import TurnMapper

__all__ = ["Inbox", "Leg", "StreamEvent", "Timing"]

_RECOGNITION_MS = 2000  # words appear at most this long after they were said
_LONGEST_DEFAULT_SILENCE_MS = 2560  # of all models' own max_turn_silence (section 10)
_LOOK_EVERY_MS = 200  # at what has been sent: live audio has to cost little
_RELEASE_EVERY_MS = 1000
_HEARTBEAT_SECONDS = 15.0  # without one, of those that come every 5 s (section 7.7)
_PROGRESS_MS = 10_000  # an open turn about which nothing is said for longer is stuck

StreamEvent = SpeechEvent | Opened | Ended | Noticed


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait for what, in the unit that each name says.

    `chunk_ms` is how much audio a message holds, 50 to 1000; else `ValueError` is raised.
    `replay_speed` is how much faster than real time audio may be sent that piled up;
    `mute_after_ms` is how long audio may lack in mid-turn before silence stands in for it;
    `roll_over_seconds` is how long before a session expires the next one is opened;
    `unanswered_seconds` is how long speech may be sent of which nothing is said.
    """

    chunk_ms: int = 50
    keep_seconds: float = 60.0
    begin_timeout_seconds: float = 10.0
    termination_timeout_seconds: float = 5.0
    replay_speed: float = 1.25
    mute_after_ms: int = 1000
    roll_over_seconds: float = 60.0
    unanswered_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not 50 <= self.chunk_ms <= 1000:
            raise ValueError(f"a chunk of {self.chunk_ms} ms is refused; send 50 to 1000 ms")


class Inbox:
    """What a stream was given and has not sent yet: its tape, and messages by position."""

    def __init__(self, sample_rate: int, timing: Timing) -> None:
        self.tape = Tape(sample_rate, chunk_ms=timing.chunk_ms, keep_seconds=timing.keep_seconds)
        self.messages: deque[tuple[int, ClientMessage]] = deque()
        self.ended = False
        self.stirred = asyncio.Event()  # something new to send, or a reason to look again
        self.send_now: Callable[[], bool] | None = None  # set while the sender has nothing to do

    def add(self, pcm: bytes | memoryview) -> None:
        """More audio. Sent from here it costs half of what it costs to wake a task for it."""
        self.tape.append(pcm)
        if self.send_now is None or not self.send_now():
            self.stirred.set()

    def say(self, message: ClientMessage) -> None:
        """To be sent right behind the audio that is here by now."""
        self.messages.append((self.tape.end, message))
        self.stirred.set()


class Leg:
    """One session. `run` it once."""

    def __init__(
        self,
        socket: Socket,
        options: SessionOptions,
        inbox: Inbox,
        mapper: TurnMapper,
        clock: AudioClock,
        progress: Progress,
        emit: Callable[[StreamEvent], None],
        *,
        from_ms: float,
        timing: Timing,
    ) -> None:
        self._socket = socket
        self._prompt = socket if isinstance(socket, PromptSocket) else None
        self._pushed_at = 0.0
        self._session = Session(options)
        self._inbox = inbox
        self._tape = inbox.tape
        self._mapper = mapper
        self._clock = clock
        self._emit = emit
        self._timing = timing
        self._pacer = Pacer(timing.replay_speed)
        self._progress = progress
        self._progress.restart()
        self._has_heartbeat = bool(options.session_heartbeat)
        self._beat_at = math.inf
        longest_silence_ms = options.effective().get("max_turn_silence")
        self._turn_ends_within_ms = (longest_silence_ms or _LONGEST_DEFAULT_SILENCE_MS) + 1500
        self._look_at_ms = self._released_at_ms = 0.0
        self._heard_at_ms = 0.0  # the session's audio when something was last heard
        self._deaf = False
        self._last_word: SpokenWord | None = None  # of a turn whose end is about to be told
        self.from_ms = from_ms
        self._position = max(self._tape.start, self._tape.position(from_ms))
        self._loop = asyncio.get_running_loop()
        self._work: tuple[asyncio.Task[None], ...] = ()
        self.begun = asyncio.Event()
        self.opened: Opened | None = None
        self.opened_at: float | None = None
        self.retired = False
        self.useful = False  # it told something that had not been told before
        self.outcome: Ended | Failed | None = None

    @property
    def covered_ms(self) -> float:
        """The service has heard the stream up to here, and said all there is to say of it.

        Without an open turn that is what was sent, less what may still be on its way: what was
        sent since the peer was last heard of, and what was sent faster than it was spoken.
        """
        needed = max(self.from_ms, self._mapper.needed_from_ms)
        if self.opened_at is None:
            return self.from_ms
        if self._mapper.in_turn or self._deaf:
            return needed  # at the edge of a word
        if self._progress.stalled:
            return self._progress.unanswered_from_ms
        now = self._loop.time()
        unheard_ms = (now - self._socket.alive_at) * 1000
        ahead_ms = max(0.0, self._clock.session_ms - (now - self.opened_at) * 1000)
        sent_ms = self._tape.milliseconds(self._position)
        quiet_until_ms = sent_ms - unheard_ms - ahead_ms - _RECOGNITION_MS
        return quiet_until_ms if quiet_until_ms > self._mapper.said_until_ms else needed

    @property
    def sent_until_ms(self) -> float:
        """How far into the stream it has sent."""
        return self._tape.milliseconds(self._position)

    @property
    def sent_ms(self) -> float:
        """How much audio the session was sent, silence included."""
        return self._clock.session_ms

    async def run(self) -> None:
        """Until the session is over, or retired. Cancelled, it still says goodbye."""
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send())
                receiver = tasks.create_task(self._receive())
                receiver.add_done_callback(lambda _: sender.cancel())
                self._work = (sender, receiver)
        except asyncio.CancelledError:
            await self.say_goodbye()
            raise

    def retire(self) -> None:
        """Stop here: another session goes on from `covered_ms`. `say_goodbye` is to follow."""
        self.retired = True
        for task in self._work:
            task.cancel()

    async def say_goodbye(self) -> None:
        """Terminate, and wait a bounded time for the bill and for last words, which still count
        unless another session hears them again."""
        with contextlib.suppress(Closed, TimeoutError):
            async with asyncio.timeout(self._timing.termination_timeout_seconds):
                if self._session.state is State.OPEN:
                    await self._socket.send(self._session.say(Terminate()))
                if self._session.state is State.ENDING:
                    await self._receive()

    async def _receive(self) -> None:
        begin_deadline = self._loop.time() + self._timing.begin_timeout_seconds
        while not self._session.over:
            opening = self._session.state is State.OPENING
            twin_deadline = None if self.retired else self._mapper.deadline
            deadline = begin_deadline if opening else twin_deadline
            try:
                if deadline is None:
                    frame = await self._socket.receive()
                else:
                    async with asyncio.timeout_at(deadline):
                        frame = await self._socket.receive()
            except TimeoutError:
                if opening:
                    self._judge(self._session.fail(NetworkError("The session did not begin")))
                elif deadline is not None:  # loops may wake a tick early: the deadline is the time
                    self._emit_all(self._mapper.expire(deadline))
            except Closed as closed:
                self._judge(self._session.receive_close(closed.code, closed.reason))
            else:
                self._judge(self._session.receive(frame))

    def _judge(self, event: Event | None) -> None:
        match event:
            case Opened():
                self.opened = event
                self.begun.set()
                self.opened_at = self._beat_at = self._loop.time()
                self._mapper.session_id = event.session_id
                self._emit(event)
                self._inbox.stirred.set()  # messages have waited for this
            case Heard() if self.retired:
                pass  # the next session hears it again
            case Heard():
                self._hear(event)
            case Noticed():
                self._notice(event)
            case Ended():
                self.outcome = event
                self._emit(event)
            case Failed():
                self.outcome = event
            case None:
                pass

    def _notice(self, event: Noticed) -> None:
        if isinstance(event.message, Heartbeat):
            self._beat_at = self._loop.time()
        if isinstance(event.message, Silence):
            self._progress.answered()
        self._emit(event)

    def _hear(self, event: Heard) -> None:
        self._progress.answered()
        self._heard_at_ms = self._clock.session_ms
        was_in_turn = self._mapper.in_turn
        told = self._mapper.receive(event.message, self._loop.time())
        self.useful = self.useful or bool(told)
        self._emit_all(told)
        self._listen_for_quiet()
        if self._mapper.in_turn and not was_in_turn:
            self._inbox.stirred.set()  # from now on the sender minds whether audio goes on

    async def _send(self) -> None:
        """Everything that is due, until Terminate; then a bounded wait for the last words."""
        with contextlib.suppress(Closed):  # the receiver learns of it, too, and judges it
            while self._session.writable:
                self._inbox.stirred.clear()
                if not await self._send_due():
                    await self._wait_for_more()
            await asyncio.sleep(self._timing.termination_timeout_seconds)
            await self._socket.close()

    async def _send_due(self) -> bool:
        """Send one frame, if one is due."""
        self._position = max(self._position, self._tape.start)
        messages, is_open = self._inbox.messages, self._session.state is State.OPEN
        chunk = self._tape.chunk(self._position)
        if is_open and messages and messages[0][0] < self._position + self._tape.chunk_bytes:
            await self._transmit(messages.popleft()[1])
        elif chunk is not None:
            await self._send_audio(chunk)
        elif is_open and self._inbox.ended:  # Terminate waits for Begin; audio need not
            await self._finish()
        else:
            return False
        return True

    async def _send_audio(self, pcm: bytes) -> None:
        if delay := self._pacer.delay(self._loop.time()):
            await asyncio.sleep(delay)
        duration_ms = self._record(pcm)
        await self._transmit(pcm)
        self._pacer.sent(self._loop.time(), duration_ms)
        self._after_audio()

    def _send_now(self) -> bool:
        """Send what has become due, if nothing stands in its way; else the sender has to."""
        self._pushed_at = now = self._loop.time()
        if self._prompt is None or not self._session.writable:
            return False
        if self._inbox.messages or self._position < self._tape.start:  # they keep their place
            return False
        while (chunk := self._tape.chunk(self._position)) is not None:
            if not self._pacer.ready(now):
                return False
            if not self._prompt.send_nowait(self._session.audio(chunk)):
                return False
            self._pacer.sent(now, self._record(chunk))
            if self._clock.session_ms >= self._look_at_ms or self._mapper.endpointing.eager_ms:
                self._after_audio()
        return True

    def _record(self, pcm: bytes) -> float:
        """A chunk goes out; gives its length in milliseconds."""
        duration_ms = self._tape.milliseconds(len(pcm))
        stream_ms = self._tape.milliseconds(self._position)
        self._clock.sent(stream_ms, duration_ms)
        self._progress.sent(stream_ms, pcm)
        self._position += len(pcm)
        return duration_ms

    async def _finish(self) -> None:
        if tail := self._tape.tail(self._position):
            await self._send_audio(tail)
        await self._transmit(Terminate())

    async def _transmit(self, what: bytes | ClientMessage) -> None:
        """Raises `Closed` when the session was over before its connection is."""
        if not self._session.writable:
            raise Closed(1006, "")
        session = self._session
        frame = session.audio(what) if isinstance(what, bytes) else session.say(what)
        await self._socket.send(frame)

    async def _wait_for_more(self) -> None:
        """Until the sender is needed. Live audio meanwhile leaves without it."""
        self._inbox.send_now = self._send_now
        try:
            is_mute = await self._wait_or_mute()
        finally:
            self._inbox.send_now = None
        if is_mute:
            await self._send_silence()

    async def _wait_or_mute(self) -> bool:
        """Audio that stops in mid-turn would leave the turn open for ever (section 6)."""
        if self._inbox.ended or not self._mapper.in_turn:
            await self._inbox.stirred.wait()
            return False
        self._pushed_at = self._loop.time()
        mute_seconds = self._timing.mute_after_ms / 1000
        while (deadline := self._pushed_at + mute_seconds) > self._loop.time():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._inbox.stirred.wait()
                return False
        return True

    async def _send_silence(self) -> None:
        """In real time, until audio comes again or the turn ends, and not for ever."""
        silence = bytes(self._tape.chunk_bytes)
        duration_ms = self._tape.milliseconds(len(silence))
        for _ in range(self._turn_ends_within_ms // self._timing.chunk_ms):
            if self._inbox.stirred.is_set() or not self._mapper.in_turn:
                return
            self._clock.sent_silence(duration_ms)
            await self._transmit(silence)
            self._after_audio()
            await asyncio.sleep(duration_ms / 1000)

    def _after_audio(self) -> None:
        """The tape may forget what is covered; a turn must not stay open for ever."""
        self._look_at_ms = self._clock.session_ms + _LOOK_EVERY_MS
        self._listen_for_quiet()
        if self._clock.session_ms - self._released_at_ms >= _RELEASE_EVERY_MS:
            self._released_at_ms = self._clock.session_ms
            needed_ms = min(self.covered_ms, self._progress.unanswered_from_ms)
            self._tape.release(self._tape.position(needed_ms))
        if self._has_heartbeat and self._loop.time() - self._beat_at > _HEARTBEAT_SECONDS:
            self._give_up("The session's heartbeat stopped")
        if self._progress.stalled and not self._mapper.in_turn:
            self._give_up("The service says nothing of the speech that it is sent")
        if self.opened_at is None or not self._mapper.in_turn:
            self._heard_at_ms = self._clock.session_ms
            return
        carried_until_ms = self._mapper.carried_until_ms
        if carried_until_ms is not None:
            due_ms = carried_until_ms - self.from_ms + self._turn_ends_within_ms
            if self._clock.session_ms >= due_ms:
                self._emit_all(self._mapper.give_up_carried())
        elif self._clock.session_ms - self._heard_at_ms > self._turn_ends_within_ms + _PROGRESS_MS:
            self._give_up("The service stopped transcribing")

    def _timed(self, event: SpeechEvent) -> SpeechEvent:
        """The end of speech is where the voice ended, not the padded end of its last word."""
        if not isinstance(event, EndOfSpeech) or self._last_word is None:
            return event
        word, self._last_word = self._last_word, None
        return EndOfSpeech(voice_end_ms(self._tape, word))

    def _listen_for_quiet(self) -> None:
        word, quiet_ms = self._mapper.awaits_quiet_after, self._mapper.endpointing.eager_ms
        if word is not None and quiet_ms is not None and is_quiet(self._tape, word, quiet_ms):
            self._emit_all(self._mapper.fell_quiet())

    def _give_up(self, summary: str) -> None:
        self._judge(self._session.fail(TransientError(summary)))
        for task in self._work:
            task.cancel()

    def _emit_all(self, events: tuple[SpeechEvent, ...]) -> None:
        for event in events:
            if isinstance(event, Final):
                self._last_word = event.transcript.words[-1]
            self._emit(self._timed(event))
            if isinstance(event, Overdue):  # at once, whatever audio is still to be sent
                self._inbox.messages.appendleft((self._position, ForceEndpoint()))
                self._inbox.stirred.set()
            if isinstance(event, Unanswered):
                self._deaf = True
                self._give_up("The service stopped transcribing")
