"""A stream of audio in, speech events out, over as many sessions as it takes.

      audio ──► Inbox ──► Leg ──► Leg ──► Leg        one session each; what broke off is replayed
                           └────── TurnMapper ──────► speech events, on one audio clock

This module does all retrying, and rolls over to a new session before the old one expires: it opens
the new one ahead of time, which takes over between two turns. `push`, `flush`, `update` and
`end_input` may be called at any time; `run` does the work. It returns when the input has ended and
the last words have come, and raises an `AssemblyAIError` when retrying cannot help or patience has
run out.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.connector import Connect
from stt_assemblyai.endpointing import TurnChoices, endpointing_for
from stt_assemblyai.errors import (
    AssemblyAIError,
    CloseCode,
    ConfigurationError,
    RenewalError,
    TransientError,
    fault_of,
)
from stt_assemblyai.events import (
    Ended,
    EndOfSpeech,
    Final,
    Interrupted,
    NothingToEnd,
    Noticed,
    Opened,
    Overdue,
    SessionUsage,
    StartOfSpeech,
    StreamEvent,
)
from stt_assemblyai.expiry import Lifetimes
from stt_assemblyai.inbox import Inbox
from stt_assemblyai.leg import Leg
from stt_assemblyai.loudness import StallDetector, has_voice, voice_end_ms
from stt_assemblyai.messages import ForceEndpoint, Unknown, UpdateConfiguration, Warned
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.protocol import Failed
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.service import RECOGNITION_MS
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcript import SpokenWord
from stt_assemblyai.turns import TurnMapper
from stt_assemblyai.usage import UsageMeter

__all__ = ["Timing", "Transcriber"]

logger = logging.getLogger("stt_assemblyai")

_LAST_MOMENT_SECONDS = 3.0  # before expiry: a turn still open then goes on in the next session
_LOOK_SECONDS = 0.1
_FLUSH_SECONDS = 1.0  # words that a flush asked for appear within this (section 11: 0.27 s)
_TOLD_FAULTS = 20  # different faults that one stream logs
_EDGE_MS = 600  # a whole word: by its text the splice is found
_HEARD_AGAIN_MS = 250  # of a word's end: enough for a session that heard no more to report a word


class Transcriber:
    """One stream. It calls `on_event` with every event, in order; `on_event` must not wait.

    `draw` returns random numbers from 0 to 1 for the pauses between attempts; `wall` returns unix
    time, in which expiry is given. If an earlier stream ran out of patience in an outage that still
    lasts, `outage_since` is when it began, on the loop's clock.
    """

    def __init__(
        self,
        dial: Connect,
        options: SessionOptions,
        on_event: Callable[[StreamEvent], None],
        *,
        timing: Timing = Timing(),  # noqa: B008 - immutable
        choices: TurnChoices = TurnChoices(),  # noqa: B008 - immutable
        patience: Patience = Patience(),  # noqa: B008 - immutable
        outage_since: float | None = None,
        draw: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._dial = dial
        self._options = options
        self._on_event = on_event
        self._timing = timing
        self._wall = wall
        self._retries = Retries(patience, draw, outage_since)
        self._usage = UsageMeter()
        self._inbox = Inbox(options.sample_rate, timing)
        self._clock = AudioClock()  # of the active session
        self._progress = StallDetector(timing.unanswered_seconds)
        self._choices = choices
        self._mapper = TurnMapper(self._clock, endpointing_for(options, choices))
        self._lifetimes = Lifetimes(timing.shortest_session_seconds)
        self._last_word: SpokenWord | None = None  # of a turn whose end is about to be emitted
        self._flush: asyncio.TimerHandle | None = None  # until a flush may report NothingToEnd
        self._told_faults: set[Unknown] = set()
        self._doubts_expiry = False
        self._loop = asyncio.get_running_loop()
        self._heard_until_ms = 0.0  # how far into the stream any session has been sent
        self._leg: Leg | None = None  # the active one
        self._spare: Leg | None = None
        self.session_id: str | None = None
        self.expires_at: int | None = None

    @property
    def options(self) -> SessionOptions:
        """The options of the next session, with all updates."""
        return self._options

    @property
    def outage_since(self) -> float | None:
        """When the present outage began, on the event loop's clock; None without one."""
        return self._retries.since

    @property
    def audio_ms(self) -> int:
        """How much audio has been pushed."""
        return int(self._inbox.replay.milliseconds(self._inbox.replay.end))

    @property
    def dropped_ms(self) -> int:
        """How much audio was dropped unheard, in outages longer than the replay buffer."""
        return self._inbox.replay.dropped_ms

    @property
    def usage(self) -> list[SessionUsage]:
        """What the sessions that are over cost."""
        return self._usage.sessions

    def push(self, pcm: bytes | memoryview) -> None:
        """Add audio: PCM, 16 bit, mono, at the options' sample rate."""
        self._inbox.add(pcm)

    def flush(self) -> None:
        """End the open turn at this point of the audio. If none is open, `NothingToEnd` follows:
        when all audio is sent, and a second later if it holds a voice that may become words."""
        self._inbox.say(ForceEndpoint())
        self._cancel_flush()
        if not self._mapper.in_turn:
            self._await_words(self._inbox.replay.milliseconds(self._inbox.replay.end))

    def _await_words(self, until_ms: float) -> None:
        unsent_ms = until_ms - (self._leg.sent_until_ms if self._leg else 0)
        from_ms = max(0.0, until_ms - RECOGNITION_MS, self._mapper.said_until_ms)
        if unsent_ms >= self._timing.chunk_ms:
            self._flush = self._loop.call_later(_LOOK_SECONDS, self._await_words, until_ms)
        elif has_voice(self._inbox.replay, from_ms):
            self._flush = self._loop.call_later(_FLUSH_SECONDS, self._tell, NothingToEnd())
        else:
            self._tell(NothingToEnd())

    def commit_now(self) -> None:
        """The reply to the ended turn is ready: stop waiting for its formatted text."""
        for event in self._mapper.commit_now():
            self._tell(event)

    def update(self, options: SessionOptions) -> None:
        """Change options of the open session.

        Raises `ConfigurationError` naming each change that would need a new session, and then
        changes nothing.
        """
        changes = self._options.changes(options)
        endpointing = endpointing_for(options, self._choices)
        self._options, self._mapper.endpointing = options, endpointing
        if changes:
            self._inbox.say(UpdateConfiguration(changes))

    def end_input(self) -> None:
        """No more audio will come."""
        self._inbox.end()

    def unreported_seconds(self) -> float:
        """Billed seconds since the last call; each second is given once."""
        return self._usage.report(self._loop.time())

    async def run(self) -> None:
        """Do the work. When cancelled it still ends the session properly, in a bounded time."""
        error: AssemblyAIError | None
        try:
            async with asyncio.TaskGroup() as tasks:
                error = await self._all_sessions(tasks)
                if self._spare is not None:
                    self._spare.dismiss()
        except Exception as fault:  # our own: a stream raises only one kind of error
            logger.error("An AssemblyAI stream failed", extra={"fault": fault_of(fault)})  # noqa: TRY400 - a traceback's text may hold a caller's words
            error = TransientError("The stream failed here, not at the service")
        finally:
            self._cancel_flush()
            for event in self._mapper.close():
                self._tell(event)
        if error is not None:
            raise error

    async def _all_sessions(self, tasks: asyncio.TaskGroup) -> AssemblyAIError | None:
        """Run sessions one after the other; return the error that retrying cannot help, if any."""
        leg = self._new_leg("start", self._clock, from_ms=0.0)
        while True:
            await self._listen_to(leg, tasks)
            was_idle = leg.idle
            error = self._taken_back(leg, _cause(leg, in_turn=self._mapper.in_turn))
            if error is None and not (leg.retired or was_idle):
                return None
            next_leg = self._take_spare(leg)
            if leg.retired and next_leg is not None:
                error = None
            self._clock = AudioClock() if next_leg is None else next_leg.clock
            from_ms = leg.covered_ms if next_leg is None else next_leg.from_ms
            self._carry_over(leg, from_ms)
            if was_idle:
                if not await self._inbox.wait_for_audio(leg.sent_until_ms):
                    return None
                leg = self._new_leg("audio again", self._clock, from_ms=from_ms)
                continue
            if error is not None:
                wait_seconds = self._retries.failed(error, self._loop.time())
                if wait_seconds is None:
                    return error
                self._report(error, wait_seconds)
                await asyncio.sleep(wait_seconds if next_leg is None else 0)
            reason = "roll over" if error is None else type(error).__name__
            leg = next_leg or self._new_leg(reason, self._clock, from_ms=from_ms)

    def _taken_back(self, leg: Leg, error: AssemblyAIError | None) -> AssemblyAIError | None:
        """If the service refuses options that changed in mid-session, restore those with which the
        session was opened: the refused ones cost one session."""
        is_changed = leg.opened is not None and leg.asked != self._options
        if not isinstance(error, ConfigurationError) or not is_changed:
            return error
        self._options = leg.asked
        self._mapper.endpointing = endpointing_for(leg.asked, self._choices)
        return TransientError(
            "The service refuses the changed options; the previous ones are in force again",
            code=error.code,
            server_text=error.server_text,
        )

    async def _listen_to(self, leg: Leg, tasks: asyncio.TaskGroup) -> None:
        """Return when this leg has nothing more to report, or the next one knows as much."""
        self._leg = leg
        leg.take_over()
        if leg.opened is not None:
            self.session_id, self.expires_at = leg.opened.session_id, leg.opened.expires_at
        if not leg.started:
            leg.start(tasks)
        rolling = tasks.create_task(self._roll_over(leg, tasks))
        try:
            await leg.settled.wait()
        finally:
            rolling.cancel()
        if leg.opened_at is not None:
            lived_seconds = self._loop.time() - leg.opened_at
            self._retries.lived(lived_seconds, useful=leg.useful)
            if _expired(leg):
                self._lifetimes.expired(lived_seconds)
        if leg.outcome is not None:
            self._settle_usage(leg)

    def _new_leg(
        self,
        reason: str,
        clock: AudioClock,
        *,
        from_ms: float = math.inf,
        behind: Leg | None = None,
    ) -> Leg:
        return Leg(
            self._dial,
            lambda: self._options,
            self._inbox,
            self._mapper,
            clock,
            self._progress,
            self._handle,
            self._settle_usage,
            reason=reason,
            timing=self._timing,
            from_ms=from_ms,
            behind=behind,
        )

    def _take_spare(self, leg: Leg) -> Leg | None:
        """The leg opened ahead, if it has heard all that this one has not reported."""
        spare, self._spare = self._spare, None
        if spare is not None and (
            leg.idle or spare.failed or not (leg.terminated or _overlap(spare, leg.told_until_ms))
        ):
            spare.dismiss()
            return None
        return spare

    def _carry_over(self, leg: Leg, from_ms: float) -> None:
        """Continue an open turn in the next session, unless all of it is known already."""
        is_known = self._mapper.settled_until_ms < from_ms + _HEARD_AGAIN_MS
        events = self._mapper.close() if leg.terminated and is_known else ()
        until_ms = leg.sent_until_ms if leg.retired else math.inf
        for event in events + self._mapper.resume(self._clock, from_ms, until_ms):
            self._tell(event)

    async def _roll_over(self, leg: Leg, tasks: asyncio.TaskGroup) -> None:
        """Open the next session ahead of time and let it take over: between two turns, once it has
        heard all that this one has not reported; or at the last moment, where this one finishes."""
        await leg.begun.wait()
        expires_at = self._expires_at(leg)
        if expires_at is None:
            return
        left_seconds = expires_at - self._loop.time()
        scaled_seconds = max(left_seconds / 3, min(_LAST_MOMENT_SECONDS, left_seconds * 0.7))
        ahead_seconds = max(_LOOK_SECONDS, min(self._timing.roll_over_seconds, scaled_seconds))
        await asyncio.sleep(
            max(left_seconds - ahead_seconds, self._timing.shortest_session_seconds)
        )
        last_moment = expires_at - min(_LAST_MOMENT_SECONDS, ahead_seconds / 2)
        while True:
            spare = await self._listen_ahead(leg, tasks, retry_seconds=ahead_seconds / 10)
            is_known = _overlap(spare, leg.told_until_ms) and not self._mapper.in_turn
            is_late = self._loop.time() >= last_moment and _overlap(spare, leg.sent_until_ms)
            if spare.opened is not None and (is_known or is_late):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        logger.info("AssemblyAI session rolls over", extra={"session_id": self.session_id})
        leg.hand_over() if is_known else leg.finish()

    def _expires_at(self, leg: Leg) -> float | None:
        """The expiry on the loop's clock, which a change of this machine's time does not move;
        None if unknown."""
        if leg.opened is None or leg.opened_at is None or leg.opened.expires_at is None:
            return None
        told, now = leg.opened.expires_at, self._loop.time()
        ahead_seconds = leg.service_ahead_seconds
        by_service = None if ahead_seconds is None else told - ahead_seconds - leg.opened_at
        by_host = told - self._wall() + now - leg.opened_at
        lifetime_seconds = self._lifetimes.believed(by_service, by_host)
        if lifetime_seconds is None:
            self._doubt_expiry(by_host if by_service is None else by_service)
            return None
        return leg.opened_at + lifetime_seconds

    def _doubt_expiry(self, lifetime_seconds: float) -> None:
        if not self._doubts_expiry:
            self._doubts_expiry = True
            logger.warning(
                "The expiry of an AssemblyAI session cannot be right: its clock or this machine's "
                "is wrong. Sessions are used until the service ends them",
                extra={
                    "session_id": self.session_id,
                    "lifetime_seconds": round(lifetime_seconds),
                },
            )

    async def _listen_ahead(
        self, leg: Leg, tasks: asyncio.TaskGroup, *, retry_seconds: float
    ) -> Leg:
        """The next session, opened ahead; one that fails is replaced after a pause."""
        if self._spare is not None and self._spare.failed:
            await asyncio.sleep(retry_seconds)
            self._spare = None
        if self._spare is None:
            self._spare = self._new_leg("roll over", AudioClock(), behind=leg)
            self._spare.start(tasks)
        return self._spare

    def _settle_usage(self, leg: Leg) -> None:
        termination = leg.outcome.termination if isinstance(leg.outcome, Ended) else None
        new_ms = max(0.0, leg.sent_until_ms - max(self._heard_until_ms, leg.from_ms))
        self._heard_until_ms = max(self._heard_until_ms, leg.sent_until_ms)
        usage = self._usage.close(
            leg,
            self._loop.time(),
            session_id=leg.opened.session_id if leg.opened else "",
            reason=leg.reason,
            billed_seconds=termination.session_duration_seconds if termination else None,
            audio_sent_seconds=leg.sent_ms / 1000,
            audio_resent_seconds=max(0.0, leg.sent_ms - new_ms) / 1000,
        )
        if usage is not None:
            self._tell(usage)

    def _tell(self, event: StreamEvent) -> None:
        """Emit an event: the only way out of the stream."""
        if isinstance(event, StartOfSpeech):
            self._cancel_flush()
        if isinstance(event, Final):
            self._last_word = event.transcript.words[-1]
        if isinstance(event, EndOfSpeech) and self._last_word is not None:
            event = EndOfSpeech(voice_end_ms(self._inbox.replay, self._last_word))
            self._last_word = None
        try:
            self._on_event(event)
        except Exception as error:  # a listener's fault costs that event and nothing else
            fields = {"event": type(event).__name__, "fault": fault_of(error)}
            logger.warning("A listener of an AssemblyAI stream failed", extra=fields)

    def _cancel_flush(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def _handle(self, leg: Leg, event: StreamEvent) -> None:
        if isinstance(event, Opened):
            if self._spare is None:
                self.session_id, self.expires_at = event.session_id, event.expires_at
            self._usage.open(leg, self._loop.time())
            self._report_opened(event, leg.reason)
        if isinstance(event, Overdue):
            fields = {"session_id": self.session_id}
            logger.warning("A turn did not end; AssemblyAI is asked to end it", extra=fields)
        if isinstance(event, Noticed) and isinstance(event.message, Warned):
            fields = {"session_id": self.session_id, "warning": event.message.warning}
            logger.warning("AssemblyAI warns", extra=fields)
        if isinstance(event, Noticed) and isinstance(event.message, Unknown):
            self._report_unknown(event.message)
        self._tell(event)

    def _report_unknown(self, message: Unknown) -> None:
        """Log each kind once: an odd message may come ten times a second."""
        if message in self._told_faults or len(self._told_faults) >= _TOLD_FAULTS:
            return
        self._told_faults.add(message)
        logger.warning(
            "A message of AssemblyAI could not be read as a whole"
            if message.fault
            else "AssemblyAI sends messages of a type that is not known; they are ignored",
            extra={
                "session_id": self.session_id,
                "message_type": message.type,
                "fault": message.fault,
            },
        )

    def _report_opened(self, event: Opened, reason: str) -> None:
        fields = {
            "session_id": event.session_id,
            "reason": reason,
            "opening_seconds": round(event.opening_seconds, 3),
        }
        logger.info("AssemblyAI session opened", extra=fields)
        if event.mismatches:
            logger.warning(
                "AssemblyAI session differs from what was asked",
                extra={**fields, "mismatches": event.mismatches},
            )

    def _report(self, error: AssemblyAIError, wait_seconds: float) -> None:
        logger.warning(
            "AssemblyAI session interrupted; trying again",
            extra={
                "session_id": self.session_id,
                "error_type": type(error).__name__,
                "code": error.code,
                "remedy": error.remedy,
                "wait_seconds": round(wait_seconds, 3),
                "failures": self._retries.failures,
                "dropped_ms": self.dropped_ms,
            },
        )
        self._tell(Interrupted(error, wait_seconds, self.dropped_ms))


def _overlap(spare: Leg, until_ms: float) -> bool:
    """Whether it has heard the stream since before `until_ms`, with enough overlap to splice."""
    return spare.from_ms + _EDGE_MS <= until_ms


def _expired(leg: Leg) -> bool:
    """Whether the service ended the session for its age (protocol notes, section 13)."""
    error = leg.outcome.error if isinstance(leg.outcome, Failed) else None
    return isinstance(error, RenewalError) and error.code in (CloseCode(3008), CloseCode(4008))


def _cause(leg: Leg, *, in_turn: bool) -> AssemblyAIError | None:
    """Why another session is needed, if so. After a break at the end: if last words are missing."""
    match leg.outcome:
        case Failed(error=error):
            return error
        case Ended(termination=None, error=error) if in_turn or leg.retired:
            return error
        case None if leg.retired and not leg.handed_over:
            return TransientError("The session did not finish in time")
        case _:
            return None
