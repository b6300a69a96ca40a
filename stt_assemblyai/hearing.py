"""What is heard on the active session: words become events, and what it has missed is known.

It owns the turn mapper and the stall detector. Time is an argument, in seconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stt_assemblyai.attempt import Attempt, Role
from stt_assemblyai.audio import AudioClock
from stt_assemblyai.events import EndOfSpeech, Events, Final, Noticed, StreamEvent, Unanswered
from stt_assemblyai.loudness import StallDetector, is_quiet, voice_end_ms
from stt_assemblyai.messages import Heartbeat, Silence, SpeakerRevision, SpeechStarted, Turn
from stt_assemblyai.protocol import Heard
from stt_assemblyai.service import RECOGNITION_MS
from stt_assemblyai.turns import TurnMapper

if TYPE_CHECKING:
    from stt_assemblyai.audio import ReplayBuffer
    from stt_assemblyai.endpointing import Endpointing
    from stt_assemblyai.options import SessionOptions
    from stt_assemblyai.outbox import Chunk, Input, Outbox
    from stt_assemblyai.transcript import SpokenWord

__all__ = ["Hearing"]

_AFTER_SILENCE_MS = 1500  # a turn's end is reported at most this long after its silence
_LOOK_EVERY_MS = 500  # how often to check what was sent: live audio has to cost little
_RELEASE_EVERY_MS = 1000
_HEARTBEAT_SECONDS = 15.0  # without a heartbeat; they come every 5 s (section 7.7)
_HEARD_AGAIN_MS = 250  # of a word's end: enough for a session that heard no more to report a word
_PROGRESS_MS = 10_000  # an open turn without a message for longer is stuck


class Hearing:
    """One stream's hearing, session after session. `useful`: this session reported something new.

    `attempt`, where it is an argument, is the active session.
    """

    def __init__(
        self,
        replay: ReplayBuffer,
        endpointing: Endpointing,
        unanswered_seconds: float,
    ) -> None:
        self.mapper = TurnMapper(AudioClock(), endpointing)
        self.useful = False
        self._replay = replay
        self._stall = StallDetector(unanswered_seconds)
        self._deaf = False  # the service did not end a turn as it was asked to
        self.look_at_ms = 0.0  # how much audio the session has been sent when to look again
        self._released_at_ms = 0.0
        self._heard_at_ms = 0.0  # how much audio had been sent when the service last spoke
        self._beat_at: float | None = None  # when the last heartbeat came, or the wait for it began
        self._last_word: SpokenWord | None = None  # of a turn whose end is about to be emitted

    @property
    def in_turn(self) -> bool:
        return self.mapper.in_turn

    @property
    def longest_silence_ms(self) -> int:
        """Within this much silence any turn ends, and its end is reported."""
        return self.mapper.endpointing.longest_silence_ms + _AFTER_SILENCE_MS

    def take_over(self, attempt: Attempt) -> None:
        """This session is the active one from now on."""
        self.useful = self._deaf = False
        self._beat_at = None
        self._stall.restart()
        self.look_at_ms = 0.0
        self._heard_at_ms = self._released_at_ms = attempt.outbox.clock.session_ms

    def carry_over(self, old: Attempt, outbox: Outbox) -> Events:
        """The next session hears the stream with this outbox: it continues an open turn, unless
        all of that is known already, or nobody can say when there is a next session."""
        is_known = self.mapper.settled_until_ms < outbox.from_ms + _HEARD_AGAIN_MS
        events = self.mapper.close() if old.terminated and (is_known or old.idle) else ()
        until_ms = old.outbox.until_ms if old.retired else math.inf
        return events + self.mapper.resume(outbox.clock, outbox.from_ms, until_ms)

    def catch_up(self, attempt: Attempt, now: float) -> Events:
        """The events of what this session heard before it took over."""
        kept, attempt.kept = attempt.kept, []
        return tuple(event for heard in kept for event in self.heard(heard, attempt, now))

    def heard(self, heard: Heard, attempt: Attempt, now: float) -> Events:
        """The events of a message about speech."""
        self._stall.answered()
        self._heard_at_ms = attempt.outbox.clock.session_ms
        was_in_turn = self.in_turn
        message = _cut_off(heard) if attempt.retired else heard.message
        events = self.mapper.receive(message, now)
        self.useful = self.useful or bool(events)
        if self.in_turn and not was_in_turn:
            attempt.outbox.stir(now)  # in a turn, late audio is another matter
        if self.mapper.awaits_quiet_after is not None:
            self.look_at_ms = 0.0
        return events + self._quiet()

    def due_at(self, active: Attempt | None) -> float:
        """When to call `expire`, if nothing comes; infinite if there is no need."""
        deadline = self.mapper.deadline
        if deadline is None or active is None or not active.may_answer:
            return math.inf
        return deadline

    def expire(self, active: Attempt | None, now: float) -> Events:
        """The events of what should have been said by now, if the session could have said it."""
        return self.mapper.expire(now) if active is not None and active.may_answer else ()

    def noticed(self, event: Noticed, now: float) -> None:
        """A message that is not about words."""
        if isinstance(event.message, Heartbeat):
            self._beat_at = now
        if isinstance(event.message, Silence):
            self._stall.answered()

    def late_at(self, attempt: Attempt, audio: Input) -> float:
        """When `fill_in` is due for this session, if no audio comes; infinite for never."""
        in_turn = attempt.role is Role.ACTIVE and self.in_turn
        return attempt.late_at(audio, in_turn=in_turn)

    def fill_in(self, attempt: Attempt, now: float) -> Chunk | None:
        """Audio is late: in mid-turn send this silence, for as long as any turn needs to end;
        between turns the session is marked as idle, and will end."""
        if not self.in_turn:
            attempt.idle = True
        elif attempt.outbox.silence_ms < self.longest_silence_ms:
            return attempt.outbox.take_silence(now)
        else:
            attempt.outbox.stir(now)
        return None

    def after_audio(self, chunk: Chunk, attempt: Attempt, now: float) -> Events:
        """The events of a chunk that is sent. Call it once `look_at_ms` of audio have been sent."""
        if chunk.live:
            self._stall.sent(chunk.at_ms, chunk.pcm)
        session_ms = attempt.outbox.clock.session_ms
        events = self._quiet()
        is_tense = self.mapper.awaits_quiet_after is not None
        self.look_at_ms = session_ms + (0 if is_tense else _LOOK_EVERY_MS)
        if session_ms - self._released_at_ms >= _RELEASE_EVERY_MS:
            self._released_at_ms = session_ms
            self._release(attempt, now)
        if attempt.opened is None or not self.in_turn:
            self._heard_at_ms = session_ms
        elif (carried_until_ms := self.mapper.carried_until_ms) is not None:
            due_ms = carried_until_ms - attempt.outbox.from_ms + self.longest_silence_ms
            if session_ms >= due_ms:
                events += self.mapper.give_up_carried()
        return events

    def fault(self, attempt: Attempt, options: SessionOptions, now: float) -> str:
        """Why the session has to be given up; empty if it is in order."""
        if self._heartbeat_stopped(attempt, options, now):
            return "The session's heartbeat stopped"
        if self._deaf or self._is_stuck(attempt):
            return "The service stopped transcribing"
        if self._stall.stalled and not self.in_turn:
            return "The service says nothing of the speech that it is sent"
        return ""

    def corrected(self, event: StreamEvent) -> StreamEvent:
        """The event with its true time: a turn ends where the voice ended."""
        if isinstance(event, Unanswered):
            self._deaf = True
        if isinstance(event, Final):
            self._last_word = event.transcript.words[-1]
        if isinstance(event, EndOfSpeech) and self._last_word is not None:
            event = EndOfSpeech(voice_end_ms(self._replay, self._last_word))
            self._last_word = None
        return event

    def told_until_ms(self, attempt: Attempt, now: float) -> float:
        """The service has said all there is to say about the stream up to here.

        Without an open turn that is the audio sent, less what the service may not have processed:
        audio sent since it was last heard, and audio sent faster than real time.
        """
        outbox, connection = attempt.outbox, attempt.connection
        if attempt.terminated:
            return outbox.until_ms
        if connection is None or attempt.opened is None:
            return min(outbox.from_ms, self.mapper.said_until_ms)
        if self.in_turn or self._deaf:
            return self.mapper.settled_until_ms
        if self._stall.stalled:
            return self._stall.unanswered_from_ms
        unheard_ms = (now - connection.alive_at) * 1000
        ahead_ms = max(0.0, outbox.clock.session_ms - (now - attempt.opened_at) * 1000)
        quiet_until_ms = outbox.until_ms - unheard_ms - ahead_ms - RECOGNITION_MS
        return max(quiet_until_ms, self.mapper.said_until_ms)

    def replay_from_ms(self, attempt: Attempt, now: float) -> float:
        """A session that hears the stream from here on misses nothing and can find the splice."""
        outbox = attempt.outbox
        if attempt.opened is None:
            return outbox.from_ms
        told_ms = min(self.told_until_ms(attempt, now), outbox.until_ms)
        if not self.in_turn and (self._stall.stalled or told_ms > self.mapper.said_until_ms):
            return told_ms
        needed_ms = min(self.mapper.needed_from_ms, outbox.until_ms)
        return max(outbox.from_ms, needed_ms)  # at the edge of a word

    def _is_stuck(self, attempt: Attempt) -> bool:
        """Whether nothing has been said about an open turn for longer than any turn needs."""
        if attempt.opened is None or not self.in_turn or self.mapper.carried_until_ms is not None:
            return False
        silent_ms = attempt.outbox.clock.session_ms - self._heard_at_ms
        return silent_ms > self.longest_silence_ms + _PROGRESS_MS

    def _release(self, attempt: Attempt, now: float) -> None:
        """Forget audio that no session needs again; what was not sent is needed."""
        needed_ms = min(self.replay_from_ms(attempt, now), self._stall.unanswered_from_ms)
        needed_ms = min(needed_ms, attempt.outbox.until_ms)  # words may end after what was sent
        self._replay.release(self._replay.position(needed_ms))

    def _quiet(self) -> Events:
        """A Preflight, if the voice has fallen quiet after words that may be the whole turn."""
        word, quiet_ms = self.mapper.awaits_quiet_after, self.mapper.endpointing.eager_ms
        if word is None or quiet_ms is None or not is_quiet(self._replay, word, quiet_ms):
            return ()
        return self.mapper.fell_quiet()

    def _heartbeat_stopped(self, attempt: Attempt, options: SessionOptions, now: float) -> bool:
        """Heartbeats may be switched on and off while the session is open."""
        if attempt.opened is None or not options.session_heartbeat:
            self._beat_at = None
        elif self._beat_at is None:
            self._beat_at = now
        return self._beat_at is not None and now - self._beat_at > _HEARTBEAT_SECONDS


def _cut_off(heard: Heard) -> Turn | SpeechStarted | SpeakerRevision:
    """The message without its end of turn: Terminate ends any turn, but this one may go on."""
    message = heard.message
    if not isinstance(message, Turn):
        return message
    return message.model_copy(
        update={"end_of_turn": False, "end_of_turn_confidence": 0.0, "utterance": ""}
    )
