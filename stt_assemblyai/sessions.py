"""Which session hears a stream, from where, and when the next one opens.

What breaks off is replayed to the next session. Retries, roll-overs to a new session before the old
one expires, and the end of the stream are decided here. Time is an argument, in seconds.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from stt_assemblyai.actions import Close, Connect, Emit, Send
from stt_assemblyai.attempt import Attempt, Role
from stt_assemblyai.endpointing import endpointing_for
from stt_assemblyai.errors import (
    AssemblyAIError,
    ConfigurationError,
    RenewalError,
    TransientError,
)
from stt_assemblyai.events import Interrupted, Opened, StreamEvent
from stt_assemblyai.messages import UpdateConfiguration
from stt_assemblyai.outbox import Outbox
from stt_assemblyai.roll_over import RollOver, Step
from stt_assemblyai.usage import UsageMeter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stt_assemblyai.actions import Action, StreamConfig
    from stt_assemblyai.hearing import Hearing
    from stt_assemblyai.messages import ClientMessage
    from stt_assemblyai.options import SessionOptions
    from stt_assemblyai.outbox import Input
    from stt_assemblyai.retries import Retries
    from stt_assemblyai.stream_log import StreamLog

__all__ = ["Sessions"]


class Waiting(NamedTuple):
    """The session to open at `due_at`, or when there is audio behind `awaits_ms`."""

    reason: str
    outbox: Outbox
    due_at: float = math.inf
    awaits_ms: float | None = None


class Sessions:
    """One stream's sessions. `wanted` collects what is to be done and told, in order.

    `waiting` is the session to open next. `attempts`, by their keys, are those that have or want a
    connection; one of them may be the `active` one, and one the roll-over's spare.
    """

    def __init__(
        self,
        config: StreamConfig,
        audio: Input,
        hearing: Hearing,
        retries: Retries,
        log: StreamLog,
    ) -> None:
        self.config = config
        self.active: Attempt | None = None
        self.opened: Opened | None = None  # the current session, as the service opened it
        self.attempts: dict[int, Attempt] = {}
        self.roll_over = RollOver(config.timing)
        self.usage = UsageMeter()
        self.retries = retries
        self.wanted: list[Action] = []
        self._input = audio
        self._hearing = hearing
        self._log = log
        self._keys = 0
        self.ending = False  # only goodbyes are left
        self.error: AssemblyAIError | None = None  # that ended the stream
        outbox = Outbox(audio.replay, config.timing, from_ms=0.0)
        hearing.mapper.resume(outbox.clock, 0.0)
        self.waiting: Waiting | None = Waiting("start", outbox)

    @property
    def due_at(self) -> float:
        """When to look again, though nothing comes; infinite if there is no need."""
        return min(self.roll_over.look_at, self.waiting.due_at if self.waiting else math.inf)

    @property
    def sent_until_ms(self) -> float:
        """How far into the stream audio has been sent; infinite if none is left to send."""
        if self.active is not None:
            return self.active.outbox.until_ms
        return 0.0 if self.waiting and self.waiting.awaits_ms is None else math.inf

    def start(self, now: float) -> None:
        """Open the first session."""
        if self.waiting is not None and self.waiting.reason == "start":
            self.waiting = self.waiting._replace(due_at=now)

    def put_in_force(self, options: SessionOptions) -> None:
        """These options hold from now on, for open turns too."""
        self._hearing.mapper.endpointing = endpointing_for(options, self.config.choices)
        self.config = replace(self.config, options=options)

    def queue(self, message: ClientMessage, now: float) -> None:
        """Send this right after the audio that is here by now, in each session that hears it."""
        is_update = isinstance(message, UpdateConfiguration)  # a new session needs none
        for holder in (self.active, self.roll_over.spare, None if is_update else self.waiting):
            if holder is not None:
                holder.outbox.queue(message, now)

    def open_next(self, now: float) -> None:
        """Open the session that is due: after a pause, or because audio comes again."""
        following = self.waiting
        if following is None:
            return
        if following.awaits_ms is None:
            is_due = now >= following.due_at
        else:
            is_due = self._input.has_chunk(following.awaits_ms)
            if self._input.ended and not is_due:
                self.end(None, now)
        if is_due:
            self.waiting = None
            self._take_over(self._new_attempt(following.reason, following.outbox, now), now)

    def roll(self, now: float) -> None:
        """Open the next session ahead of time, and let it take over."""
        active = self.active
        if active is None or now < self.roll_over.look_at:
            return
        told_until_ms = self._hearing.told_until_ms(active, now)
        step = self.roll_over.step(active, told_until_ms, now, in_turn=self._hearing.in_turn)
        if step is Step.OPEN:
            outbox = self._new_outbox(active)
            self.roll_over.spare = self._new_attempt("roll over", outbox, now)
        elif step is not Step.WAIT:
            self._log.rolls_over()
            self.roll_over.look_at = math.inf
            role = Role.LEAVING if step is Step.HAND_OVER else Role.FINISHING
            self.finish(active, role, now)

    def begin_active(self, attempt: Attempt, now: float) -> None:
        """The active session is open: it has a name, and will expire."""
        if attempt.opened is None:
            return
        self.opened = attempt.opened
        self._log.session_id = self._hearing.mapper.session_id = attempt.opened.session_id
        doubted_seconds = self.roll_over.plan(attempt, now)
        if doubted_seconds is not None:
            self._log.doubts_expiry(doubted_seconds)

    def close_ended(self, now: float) -> None:
        """Close the connections of sessions that are over, and count what they cost."""
        for attempt in [each for each in self.attempts.values() if each.over]:
            del self.attempts[attempt.key]
            self.wanted.append(Close(attempt.key))
            session_id = attempt.opened.session_id if attempt.opened else ""
            usage = self.usage.close(
                attempt.key, now, session_id, attempt.reason, attempt.billed_seconds, attempt.sent
            )
            self._tell([usage] if usage else [])

    def replace_ended(self, now: float) -> bool:
        """If the active session has nothing more to report, decide what comes after it."""
        old = self.active
        if old is None or not old.has_reported_all:
            return False
        in_turn = self._hearing.in_turn
        was_idle = old.was_idle(self._input, now, in_turn=in_turn)
        self._learn_from(old, now, proven=was_idle or old.terminated)
        error = self._taken_back(old, old.cause(in_turn=in_turn))
        if self.ending or (error is None and not (old.retired or was_idle)):
            self.end(None, now)
            return True
        told_until_ms = self._hearing.told_until_ms(old, now)
        spare = None if was_idle else self.roll_over.take(old, told_until_ms)
        self._leave_spare(now)
        replay_from_ms = self._hearing.replay_from_ms(old, now)
        outbox = spare.outbox if spare else self._new_outbox(old, from_ms=replay_from_ms)
        self._tell(self._hearing.carry_over(old, outbox))
        self.active = None
        if was_idle:
            self.waiting = Waiting("audio again", outbox, awaits_ms=old.outbox.until_ms)
        else:
            self._replace(error if not (old.retired and spare) else None, spare, outbox, now)
        return True

    def _replace(
        self, error: AssemblyAIError | None, spare: Attempt | None, outbox: Outbox, now: float
    ) -> None:
        """The spare session takes over; without one, a new session is opened, at once if there was
        no error, and else as soon as retries allow."""
        wait_seconds = 0.0 if error is None else self._wait_seconds(error, now)
        if wait_seconds is None:
            self.end(error, now)
        elif spare is not None:
            self._take_over(spare, now)
        else:
            reason = "roll over" if error is None else type(error).__name__
            self.waiting = Waiting(reason, outbox, now + wait_seconds)

    def finish(self, attempt: Attempt, role: Role, now: float) -> None:
        """End this session properly; it may say its last words in this role."""
        frame = attempt.end_as(role, now)
        if frame is not None:
            self.wanted.append(Send(attempt.key, frame))

    def stop(self, now: float) -> None:
        """End the stream as soon as the active session has said its last words."""
        if self.active is None:
            self.end(None, now)
        else:
            self.ending = True
            self._leave_spare(now)
            self.finish(self.active, Role.ACTIVE, now)

    def end(self, error: AssemblyAIError | None, now: float) -> None:
        """Nothing more is heard: an open turn ends, and sessions are left to their goodbyes."""
        self.error, self.ending = self.error if self.ending else error, True
        self.active = self.waiting = None
        self._leave_spare(now)
        self._tell(self._hearing.mapper.close())

    def _new_outbox(self, old: Attempt, *, from_ms: float = math.inf) -> Outbox:
        """An outbox that inherits what this session has not sent."""
        return Outbox(self._input.replay, self.config.timing, old.outbox.unsent, from_ms)

    def _new_attempt(self, reason: str, outbox: Outbox, now: float) -> Attempt:
        self._keys += 1
        options, timing = self.config.options, self.config.timing
        attempt = Attempt(self._keys, reason, options, outbox, timing)
        self.attempts[attempt.key] = attempt
        self.wanted.append(Connect(attempt.key, attempt.connect(now)))
        return attempt

    def _take_over(self, attempt: Attempt, now: float) -> None:
        """This is the session that the stream listens to from now on."""
        self.active = attempt
        attempt.take_over()
        self._hearing.take_over(attempt)
        attempt.outbox.stir(now)
        self.begin_active(attempt, now)
        self._tell(self._hearing.catch_up(attempt, now))

    def _tell(self, events: Iterable[StreamEvent]) -> None:
        self.wanted += map(Emit, events)

    def _wait_seconds(self, error: AssemblyAIError, now: float) -> float | None:
        """Seconds until the next attempt, of which the user is told; None to give up."""
        wait_seconds = self.retries.failed(error, now)
        if wait_seconds is not None:
            event = Interrupted(error, wait_seconds, self._input.replay.dropped_ms)
            self._log.interrupted(event, self.retries.failures)
            self._tell([event])
        return wait_seconds

    def _learn_from(self, old: Attempt, now: float, *, proven: bool) -> None:
        """What its life says about the next attempts and the next session's life."""
        if old.opened is None:
            return
        lived_seconds = now - old.opened_at
        self.retries.lived(lived_seconds, useful=self._hearing.useful, proven=proven)
        for_its_age = (3008, 4008)  # close codes: protocol notes, section 13
        if isinstance(old.error, RenewalError) and old.error.code in for_its_age:
            self.roll_over.lifetimes.expired(lived_seconds)

    def _taken_back(self, old: Attempt, error: AssemblyAIError | None) -> AssemblyAIError | None:
        """If the service refuses options that changed in mid-session, restore those with which the
        session was opened: the refused ones cost one session."""
        is_changed = old.opened is not None and old.options != self.config.options
        if not isinstance(error, ConfigurationError) or not is_changed:
            return error
        self.put_in_force(old.options)
        return TransientError(
            "The service refuses the changed options; those with which the session was opened are "
            "in force again",
            code=error.code,
            server_text=error.server_text,
        )

    def _leave_spare(self, now: float) -> None:
        spare, self.roll_over.spare = self.roll_over.spare, None
        self.roll_over.look_at = math.inf
        if spare is not None:
            self.finish(spare, Role.LEAVING, now)
