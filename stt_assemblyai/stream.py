"""A whole stream, decided: audio, frames and time in; actions out.

      audio ──► Input ──► Sessions: an Attempt each, perhaps two at once ──► Connect, Send, Close
                             └── frames ──► Hearing ──► events, on one audio clock ──► Emit

Call a verb with the time of any monotonic clock, in seconds. Then carry out `actions` in order,
which may call a verb again, and call `tick` at `deadline`. Nothing here waits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stt_assemblyai.actions import Action, Emit, Send, StreamConfig
from stt_assemblyai.attempt import Attempt, Connection, Role
from stt_assemblyai.endpointing import endpointing_for
from stt_assemblyai.errors import AssemblyAIError, TransientError, fault_of
from stt_assemblyai.events import (
    Ended,
    NothingToEnd,
    Noticed,
    Opened,
    Overdue,
    StartOfSpeech,
    StreamEvent,
    Unanswered,
)
from stt_assemblyai.flush import Flush
from stt_assemblyai.hearing import Hearing
from stt_assemblyai.loudness import Calm
from stt_assemblyai.messages import ForceEndpoint, Unknown, UpdateConfiguration
from stt_assemblyai.outbox import Input
from stt_assemblyai.protocol import Event, Heard
from stt_assemblyai.sessions import Sessions
from stt_assemblyai.stream_log import StreamLog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stt_assemblyai.options import SessionOptions
    from stt_assemblyai.outbox import Chunk
    from stt_assemblyai.retries import Retries

__all__ = ["Stream"]


class Stream:
    """One stream. A session's `key` is in the action that connects it. Only the verbs change it."""

    def __init__(self, config: StreamConfig, retries: Retries) -> None:
        endpointing = endpointing_for(config.options, config.choices)
        self.input = Input(config.options.sample_rate, config.timing)
        self._log = StreamLog()
        self._flush = Flush(self.input.replay)
        self._hearing = Hearing(self.input.replay, endpointing, config.timing.unanswered_seconds)
        self.sessions = Sessions(config, self.input, self._hearing, retries, self._log)
        self._actions: list[Action] = []
        self._live: Attempt | None = None  # the only session, if it has nothing to do but to hear
        self._calm = Calm()
        self.live_key = -1
        self.look_is_due = False

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.sessions.ending and not self.sessions.attempts

    def actions(self) -> list[Action]:
        """What is to be done since the last call, in order."""
        actions, self._actions = self._actions, []
        return actions

    def deadline(self) -> float:
        """When to call `tick` if nothing happens before; infinite if there is no need."""
        soonest = math.inf if self.over else min(self.sessions.due_at, self._flush.look_at)
        for attempt in self.sessions.attempts.values():
            late_at = self._hearing.late_at(attempt, self.input)
            soonest = min(soonest, attempt.deadline(ended=self.input.ended), late_at)
        return min(soonest, self._hearing.due_at(self.sessions.active))

    def start(self, now: float) -> None:
        """Open the first session."""
        self.sessions.start(now)
        self._follow_up(now)

    def push_live(self, pcm: bytes | memoryview, now: float) -> bytes | None:
        """More audio, while one session has nothing to do but to hear it: the frame to send with
        `live_key`, perhaps empty; then `look`, if `look_is_due`. None, and nothing is done: `push`.
        """
        if (live := self._live) is None:
            return None
        is_calm = self._calm.after(pcm) and not self._hearing.in_turn
        if (frame := live.push_live(pcm, now, may_wait=is_calm)) is None:
            return None
        self.input.added_at = now
        self.look_is_due = live.outbox.clock.session_ms >= self._hearing.look_at_ms
        return frame

    def look(self, now: float) -> bool:
        """Look at what was sent live. Returns whether `deadline` may have come nearer."""
        if (live := self._live) is None:
            return False
        self._after_audio(live, live.outbox.newest_chunk, now)
        if not (self._actions or live.over):
            return False
        self._follow_up(now)
        return True

    def push(self, pcm: bytes | memoryview, now: float) -> bool:
        """More audio. Returns whether `deadline` may have come nearer: mostly it has not."""
        self.input.add(pcm, now)
        before = len(self._actions)
        self._follow_up(now)
        if not all(isinstance(action, Send) for action in self._actions[before:]):
            return True
        return any(attempt.has_more for attempt in self.sessions.attempts.values())

    def flush(self, now: float) -> None:
        """End the open turn at this point of the audio; see `Transcriber.flush`."""
        self.sessions.queue(ForceEndpoint(), now)
        self._flush.cancel()
        self._hearing.mapper.ask_to_end()
        if not self._hearing.in_turn and not self.sessions.ending:
            self._flush.ask(now)
        self.tick(now)

    def commit_now(self, now: float) -> None:
        """The reply to the ended turn is ready: stop waiting for its formatted text."""
        self._emit_all(self._hearing.mapper.commit_now(), now)
        self._follow_up(now)

    def update(self, options: SessionOptions, now: float) -> None:
        """Change options of the open session; raises as `Transcriber.update` does."""
        changes = self.sessions.config.options.changes(options)
        self.sessions.put_in_force(options)
        if changes:
            self.sessions.queue(UpdateConfiguration(changes), now)
        self._follow_up(now)

    def end_input(self, now: float) -> None:
        """No more audio will come."""
        self.input.ended = True
        self._follow_up(now)

    def stop(self, now: float) -> None:
        """End soon, but properly: sessions get their Terminate, an open turn its end."""
        self.sessions.stop(now)
        self._follow_up(now)

    def abandon(self, now: float) -> None:
        """End at once, without goodbyes. Nothing happens to a stream that is over."""
        for attempt in self.sessions.attempts.values():
            attempt.outcome = attempt.outcome or Ended(None)
        if not self.over:
            self.sessions.end(None, now)
            self._follow_up(now)

    def connected(self, key: int, connection: Connection, now: float) -> None:
        """The connection of a session is there."""
        if attempt := self.sessions.attempts.get(key):
            active = self.sessions.active
            attempt.connected(connection, active.outbox.until_ms if active else 0.0, now)
            self._follow_up(now)

    def alive(self, key: int, at: float) -> None:
        """The peer was last heard then, if only by its answer to a ping."""
        if attempt := self.sessions.attempts.get(key):
            attempt.alive(at)

    def blocked(self, key: int, now: float) -> None:
        """The session's connection takes no more frames for now."""
        self._live = None
        if attempt := self.sessions.attempts.get(key):
            attempt.set_blocked_at(now)

    def drained(self, key: int, now: float) -> None:
        """The session's connection takes frames again."""
        if attempt := self.sessions.attempts.get(key):
            attempt.set_blocked_at(math.inf)
            if attempt is self.sessions.active:
                self._hearing.mapper.restart_watchdog(now)
            self._follow_up(now)

    def receive(self, key: int, frame: str | bytes, now: float) -> None:
        """A frame has come. A fault in handling it costs that message and nothing else."""
        if (attempt := self.sessions.attempts.get(key)) is None:
            return
        try:
            self._judge(attempt, attempt.receive(frame, now), now)
            faults = attempt.session.faults
        except Exception as error:  # the next message may be readable, and repeat these words
            faults = [Unknown("", fault_of(error))]
        self._emit_all(map(Noticed, faults), now)
        self._follow_up(now)

    def closed(self, key: int, code: int, reason: str, now: float) -> None:
        """The session's connection is closed; code 1006 means that it broke."""
        if attempt := self.sessions.attempts.get(key):
            self._judge(attempt, attempt.closed(code, reason, now), now)
            self._follow_up(now)

    def refused(self, key: int, error: AssemblyAIError, now: float) -> None:
        """The session's connection could not be opened, or failed by a fault of our own."""
        if attempt := self.sessions.attempts.get(key):
            self._judge(attempt, attempt.fail(error, now), now)
            self._follow_up(now)

    def tick(self, now: float) -> None:
        """Do what is due by now."""
        for attempt in list(self.sessions.attempts.values()):
            self._judge(attempt, attempt.expire(now), now)
            if now >= self._hearing.late_at(attempt, self.input):
                self._fill_in(attempt, now)
        self._emit_all(self._hearing.expire(self.sessions.active, now), now)
        self.sessions.roll(now)
        self._follow_up(now)
        said_until_ms = self._hearing.mapper.said_until_ms
        if self._flush.give_up(self.sessions.sent_until_ms, said_until_ms, now):
            self._emit(NothingToEnd(), now)

    def _follow_up(self, now: float) -> None:
        """The end of every verb: send what is due, close what is over, decide who comes next."""
        self._live = None
        for attempt in tuple(self.sessions.attempts.values()):
            self._send_due(attempt, now)
        sessions, active = self.sessions, self.sessions.active
        changes = sessions.waiting or sessions.wanted or len(sessions.attempts) != 1
        if changes or active is None or active.has_reported_all:
            self._change_sessions(now)
        elif active.may_send and not (active.idle or self.input.ended):
            self._live, self.live_key = active, active.key

    def _change_sessions(self, now: float) -> None:
        while True:
            self.sessions.open_next(now)
            self._pass_on(now)
            for attempt in tuple(self.sessions.attempts.values()):
                self._send_due(attempt, now)
            self.sessions.close_ended(now)
            self._pass_on(now)
            if not self.sessions.replace_ended(now):
                break
        if self.sessions.ending and self._flush.cancel():
            self._emit(NothingToEnd(), now)

    def _pass_on(self, now: float) -> None:
        while self.sessions.wanted:
            action = self.sessions.wanted.pop(0)
            if isinstance(action, Emit):
                self._emit(action.event, now)
            else:
                self._actions.append(action)

    def _send_due(self, attempt: Attempt, now: float) -> None:
        for frame, chunk in attempt.frames(now, ended=self.input.ended):
            self._actions.append(Send(attempt.key, frame))
            looks = attempt.outbox.clock.session_ms >= self._hearing.look_at_ms
            if looks and chunk is not None and attempt.role is Role.ACTIVE:
                self._after_audio(attempt, chunk, now)

    def _after_audio(self, attempt: Attempt, chunk: Chunk, now: float) -> None:
        try:
            self._emit_all(self._hearing.after_audio(chunk, attempt, now), now)
            self._mind_faults(attempt, now)
        except Exception as error:  # of our own: it costs this session, never the stream
            self._log.fault(fault_of(error))
            failed = TransientError("The session failed here, not at the service")
            self._judge(attempt, attempt.fail(failed, now), now)

    def _mind_faults(self, attempt: Attempt, now: float) -> None:
        if fault := self._hearing.fault(attempt, self.sessions.config.options, now):
            self._judge(attempt, attempt.fail(TransientError(fault), now), now)

    def _fill_in(self, attempt: Attempt, now: float) -> None:
        chunk = self._hearing.fill_in(attempt, now)
        if chunk is not None:
            self._actions.append(Send(attempt.key, attempt.encoded(chunk)))
            self._after_audio(attempt, chunk, now)

    def _judge(self, attempt: Attempt, event: Event | None, now: float) -> None:
        """React to what one session has come to."""
        match event:
            case Opened():
                self._open(attempt, event, now)
            case Heard() if attempt.role is Role.AHEAD:
                attempt.kept.append(event)
            case Heard() if attempt.role is not Role.LEAVING:
                self._emit_all(self._hearing.heard(event, attempt, now), now)
            case Noticed() if attempt.role is Role.ACTIVE:
                self._hearing.noticed(event, now)
                self._emit(event, now)
            case Noticed() | Ended():
                self._emit(event, now)

    def _open(self, attempt: Attempt, opened: Opened, now: float) -> None:
        self.sessions.usage.open(attempt.key, now)
        self._log.opened(opened, attempt.reason)
        if attempt is self.sessions.active:
            self.sessions.begin_active(attempt, now)
        self._emit(opened, now)

    def _emit_all(self, events: Iterable[StreamEvent], now: float) -> None:
        for event in events:
            self._emit(event, now)

    def _emit(self, event: StreamEvent, now: float) -> None:
        """The only way out: corrects the event's times, logs it, and reacts to it."""
        event = self._hearing.corrected(event)
        self._actions.append(Emit(event))
        active = self.sessions.active
        match event:
            case StartOfSpeech():
                self._flush.cancel()
            case Overdue() if active is not None:
                self._log.event(event)
                active.outbox.queue_first(ForceEndpoint(), now)
            case Noticed():
                self._log.event(event)
            case Unanswered() if active is not None:
                self._mind_faults(active, now)
