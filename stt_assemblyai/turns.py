"""Folds the service's messages into balanced speech events, for both model families.

      IDLE --first words--> SPEAKING --end of turn, formatted--> IDLE
      SPEAKING --end of turn, not formatted--> SETTLED
      IDLE --end of turn, not formatted--> SETTLED
      SETTLED --the formatted text, its deadline, a ready reply--> IDLE
      SETTLED --the next turn--> SPEAKING
      SPEAKING --no new words for too long--> FORCED --new words--> SPEAKING
      FORCED --its deadline--> IDLE
      FORCED --end of turn, formatted--> IDLE
      FORCED --end of turn, not formatted--> SETTLED
      SPEAKING --the close--> IDLE, and so from every state

Every StartOfSpeech gets its EndOfSpeech. A turn's Final comes right before its end, and never
after it. A turn that is open when a session breaks off goes on in the next one (`resume`). If a
turn does not end, the service is asked to end it (`Overdue`); without an answer, it is ended here.
There is no clock and no I/O: `now` is any monotonic time in seconds, and `deadline` says when to
call `expire` (protocol notes, sections 8 and 9).
"""

from __future__ import annotations

import math
from dataclasses import replace
from enum import Enum
from typing import Literal, assert_never

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.endpointing import Endpointing
from stt_assemblyai.events import (
    EndOfSpeech,
    Events,
    Final,
    Interim,
    LateFormat,
    Overdue,
    Preflight,
    SpeakersRevised,
    StartOfSpeech,
    Unanswered,
)
from stt_assemblyai.messages import SpeakerRevision, SpeechStarted, Turn
from stt_assemblyai.splice import Resumption, replay_from, settled
from stt_assemblyai.text import same_words
from stt_assemblyai.transcript import (
    SpokenWord,
    SpokenWords,
    Transcript,
    TurnEnd,
    heard_words,
    known,
    read,
    shared,
)

__all__ = ["TurnMapper"]


_UNSETTLED_LEAD_MS = 600  # the sound before a turn's first word


class _State(Enum):
    IDLE = "idle"
    SPEAKING = "speaking"
    FORCED = "forced"
    SETTLED = "settled"


class TurnMapper:
    """Maps one stream's messages, session after session.

    `clock` translates the session's times into the stream's. `endpointing` may be replaced at any
    time and takes effect at once.
    """

    def __init__(self, clock: AudioClock, endpointing: Endpointing) -> None:
        self.session_id = ""
        self.endpointing = endpointing
        self._state = _State.IDLE
        self._clock = clock
        self._waits_since = math.inf  # for the message that leaves the state
        self._pauses_since = math.inf
        self._onset_ms: int | None = None
        self._order = -1  # of the open or settled turn, in this session
        self._latest: Transcript | None = None  # of that turn
        self._ended: Transcript | None = None  # the last turn that got its end in this session
        self._ended_order = -1
        self._preflight_text = ""
        self._ready_text = ""  # the words that a reply is ready for
        self._is_asked = False  # to end the turn
        self._end = TurnEnd()  # of the turn in progress, once it is decided
        self._resumption = Resumption()
        self._spoken = SpokenWords()

    @property
    def deadline(self) -> float | None:
        """When to call `expire` if no message comes first."""
        soonest = min(self._due_at, self._pause_at)
        return None if soonest == math.inf else soonest

    @property
    def _due_at(self) -> float:
        """When the state changes without a message."""
        match self._state:
            case _State.SPEAKING:
                return self._waits_since + self.endpointing.stuck_seconds
            case _State.FORCED:
                return self._waits_since + self.endpointing.force_seconds
            case _State.SETTLED:
                return self._waits_since + self.endpointing.wait_for_formatted_seconds
        return math.inf

    @property
    def _pause_at(self) -> float:
        """When a pause is long enough for a Preflight."""
        return self._pauses_since + self.endpointing.pause_seconds

    @property
    def in_turn(self) -> bool:
        """Whether a StartOfSpeech was given and its EndOfSpeech was not."""
        return self._state is not _State.IDLE

    @property
    def needed_from_ms(self) -> float:
        """Audio from here on is not settled yet: a new session would have to hear it again."""
        if self._latest is None:
            return self._resumption.point.replay_from_ms
        kept = [word for word in settled(self._latest.words) if word.final]
        if kept:
            return replay_from(kept)
        return max(0, self._latest.start_ms - _UNSETTLED_LEAD_MS)

    @property
    def settled_until_ms(self) -> int:
        """Where the last word ended that cannot change any more."""
        words = settled(self._latest.words) if self._latest else ()
        return max([self.said_until_ms, *(word.end_ms for word in words if word.final)])

    @property
    def said_until_ms(self) -> int:
        """Where the last word of an ended turn ended."""
        return self._resumption.point.said_until_ms

    @property
    def carried_until_ms(self) -> int | None:
        """How far a turn from an earlier session has come, until this session takes it up."""
        return self._resumption.point.open[-1].end_ms if self._resumption.awaited else None

    @property
    def awaits_quiet_after(self) -> SpokenWord | None:
        """The word after which a quiet voice would be a Preflight: see `fell_quiet`."""
        latest, rules = self._latest, self.endpointing
        if rules.eager_ms is None or latest is None or self._state is not _State.SPEAKING:
            return None
        is_sure = latest.end_of_turn_confidence >= rules.preflight_confidence
        is_new = not same_words(latest.text, self._preflight_text)
        return latest.words[-1] if is_sure and is_new and _all_final(latest) else None

    def resume(self, clock: AudioClock, from_ms: float, until_ms: float = math.inf) -> Events:
        """The next session hears the stream from `from_ms` on. The previous one heard it until
        `until_ms`: words that may have been cut off there are left to the next one."""
        events = self._end_turn() if self._state is _State.SETTLED else ()
        self._clock, self._onset_ms = clock, None
        self._order, self._ended, self._ended_order = 0, None, -1
        self._resumption.begin_session(
            self._latest.words if self._latest else (), from_ms, until_ms
        )
        if self._latest:
            self._latest = replace(self._latest, words=self._resumption.point.open)
        # nothing is due until the new session has reached the turn
        self._waits_since = self._pauses_since = math.inf
        return events

    def give_up_carried(self) -> Events:
        """The new session says nothing about the open turn: end it with what is known."""
        if not self._resumption.awaited:
            return ()
        self._end = TurnEnd("reconnect")
        return self._cut_turn()

    def receive(self, message: Turn | SpeechStarted | SpeakerRevision, now: float) -> Events:
        """Handle a message."""
        match message:
            case SpeechStarted():
                self._onset_ms = self._clock.to_stream(message.timestamp)
                return ()
            case SpeakerRevision():
                return (self._revise(message),)
            case Turn():
                return self._turn(message, now)
            case _:  # pragma: no cover
                assert_never(message)

    def expire(self, now: float) -> Events:
        """Stop waiting for whatever should have come by now."""
        if now >= self._pause_at and self._latest is not None:
            return self._preflight(self._latest)
        if now < self._due_at:
            return ()
        if self._state is _State.SPEAKING:
            self._state, self._waits_since = _State.FORCED, now
            return (Overdue(),)
        if self._state is _State.FORCED:
            self._end = TurnEnd("watchdog", now)
            return (*self._cut_turn(), Unanswered())
        return self._end_turn()

    def restart_watchdog(self, now: float) -> None:
        """The service could not have said anything until now: its time begins again."""
        if self._waits_since != math.inf:
            self._waits_since = now

    def fell_quiet(self) -> Events:
        """The voice has been quiet for `eager_ms` after the word in `awaits_quiet_after`."""
        return self._preflight(self._latest) if self._latest else ()

    def ask_to_end(self) -> None:
        """The service is asked to end the open turn."""
        self._is_asked = self.in_turn

    def commit_now(self) -> Events:
        """The reply to the words so far is ready: do not wait for formatted text, now or later."""
        if self._state is _State.SETTLED:
            return self._end_turn()
        self._ready_text = self._latest.text if self._latest else ""
        return ()

    def close(self) -> Events:
        """Nothing more will come: give an open turn its Final and its end."""
        if self._state is not _State.SETTLED:
            self._end = TurnEnd("reconnect")
        return self._end_turn() if self.in_turn else ()

    def _turn(self, turn: Turn, now: float) -> Events:
        if turn.turn_order <= self._ended_order:
            return self._after_the_end(turn)
        self._resumption.come_to(turn.turn_order)
        before: Events = ()
        if self.in_turn and turn.turn_order > self._order:
            before = self._end_turn()  # the next turn began: nothing more comes for this one
        return before + self._current_turn(turn, now)

    def _current_turn(self, turn: Turn, now: float) -> Events:
        heard = self._heard(turn)
        transcript = self._read(turn, heard)
        if self._state is _State.SETTLED:
            return self._formatted(turn, transcript)
        if self._resumption.awaited and not self._resumption.take_up(heard) and turn.end_of_turn:
            return self._skip(turn)
        if not transcript.text:
            return self._end_without_words(turn, now) if turn.end_of_turn else ()
        start = self._start(transcript)
        previous, self._latest, self._order = self._latest, transcript, turn.turn_order
        if turn.end_of_turn:
            return start + self._settle(transcript, now)
        if self._waits_since == math.inf or previous is None or _news(previous, transcript):
            self._expect_more(transcript, now)
        if self._is_preflight(turn):
            return start + self._preflight(transcript)
        if previous is not None and previous.text == transcript.text:
            return start
        if not same_words(transcript.text, self._preflight_text):
            self._preflight_text = ""  # a reply to the old words has been given up by now
        return (*start, Interim(transcript))

    def _expect_more(self, transcript: Transcript, now: float) -> None:
        self._state = _State.SPEAKING
        self._waits_since = now
        is_new = _all_final(transcript) and not same_words(transcript.text, self._preflight_text)
        self._pauses_since = now if is_new else math.inf

    def _skip(self, turn: Turn) -> Events:
        """Skip a repeated turn that ended before the open one began: the open one goes on."""
        self._ended_order, self._order = turn.turn_order, turn.turn_order + 1
        return ()

    def _start(self, transcript: Transcript) -> Events:
        if self._state is not _State.IDLE:
            return ()
        self._state = _State.SPEAKING
        onset, self._onset_ms = self._onset_ms, None
        return (StartOfSpeech(transcript.start_ms if onset is None else onset),)

    def _settle(self, transcript: Transcript, now: float) -> Events:
        """End the turn; if its formatted duplicate is expected, wait for it a short time."""
        self._end = TurnEnd(self._reason(transcript), now)
        is_ready = same_words(transcript.text, self._ready_text)
        if transcript.formatted or self.endpointing.wait_for_formatted_seconds <= 0 or is_ready:
            return self._end_turn()
        self._state = _State.SETTLED
        self._waits_since, self._pauses_since = now, math.inf
        return self._preflight(transcript)

    def _reason(self, transcript: Transcript) -> Literal["confidence", "silence", "forced"]:
        """Why the service has ended the turn (protocol notes, section 10)."""
        if self._is_asked or self._state is _State.FORCED:
            return "forced"
        sure_from = self.endpointing.sure_from
        if sure_from is None:
            is_sure = transcript.text.endswith((".", "?", "!"))
        else:
            is_sure = transcript.end_of_turn_confidence >= sure_from
        return "confidence" if is_sure else "silence"

    def _formatted(self, turn: Turn, transcript: Transcript) -> Events:
        """A formatted duplicate that comes in time is the Final, unless its words differ ("$25" for
        "twenty five dollars"). These would throw away the reply in progress: they follow as
        LateFormat."""
        if not (turn.end_of_turn and transcript.formatted):
            return ()
        plain = self._latest
        if plain is None or not transcript.text:
            return self._end_turn()
        if not self.endpointing.keep_reply or same_words(plain.text, transcript.text):
            self._latest = transcript
            return self._end_turn()
        events = self._end_turn()
        self._ended = transcript
        return (*events, LateFormat(transcript, plain.text))

    def _end_turn(self) -> Events:
        latest = self._latest
        assert latest is not None  # a turn in progress has words
        is_resumed = bool(self._resumption.point.open)  # then its duplicate would lack words
        self._ended = None if is_resumed else latest
        self._ended_order = self._order
        self._resumption.end_turn(latest.words)
        end = self._end
        self._become_idle()
        return Final(latest, end), EndOfSpeech(latest.end_ms)

    def _cut_turn(self) -> Events:
        """End a turn that the service has not ended: what it says about it from now on is new."""
        events = self._end_turn()
        self._ended, self._ended_order = None, self._order - 1
        self._resumption.cut(self._order)
        return events

    def _end_without_words(self, turn: Turn, now: float) -> Events:
        """An empty final: an extra one after Terminate, or words that were taken back (8.1)."""
        latest = self._latest
        if latest is not None and any(word.final for word in latest.words):
            self._end = TurnEnd(self._reason(latest), now)
            return self._end_turn()
        self._ended_order, self._ended = turn.turn_order, None
        self._become_idle()
        return () if latest is None else (EndOfSpeech(latest.end_ms),)

    def _become_idle(self) -> None:
        self._state, self._latest = _State.IDLE, None
        self._waits_since = self._pauses_since = math.inf
        self._preflight_text = self._ready_text = ""
        self._is_asked, self._end = False, TurnEnd()
        self._resumption.drop_open()

    def _after_the_end(self, turn: Turn) -> Events:
        ended = self._ended
        if ended is None or ended.turn_order != turn.turn_order or ended.formatted:
            return ()
        transcript = self._read(turn, self._heard(turn))
        if not (turn.end_of_turn and transcript.formatted and transcript.text):
            return ()
        self._ended = transcript
        return (LateFormat(transcript, ended.text),)

    def _is_preflight(self, turn: Turn) -> bool:
        """US: an utterance ended inside the turn. U3: the service thinks the turn may be over."""
        rules = self.endpointing
        is_pause = rules.by_confidence or bool(turn.utterance)
        return is_pause and turn.end_of_turn_confidence >= rules.preflight_confidence

    def _preflight(self, transcript: Transcript) -> Events:
        """Emit a Preflight once for the same words, since each one costs a reply."""
        self._pauses_since = math.inf
        if self.endpointing.preflight_confidence == math.inf:
            return ()
        if same_words(transcript.text, self._preflight_text):
            return ()
        self._preflight_text = transcript.text
        return (Preflight(transcript),)

    def _revise(self, message: SpeakerRevision) -> SpeakersRevised:
        speakers = tuple((r.turn_order, known(r.speaker_label)) for r in message.revisions)
        return SpeakersRevised(self.session_id, speakers)

    def _heard(self, turn: Turn) -> tuple[SpokenWord, ...]:
        same_turn = None if self._resumption.point.open else self._latest or self._ended
        from_ms = self.said_until_ms if self._onset_ms is None else self._onset_ms
        heard = self._spoken.of(turn.words, self._clock)
        return heard_words(turn, heard, self._clock, same_turn, from_ms)

    def _read(self, turn: Turn, heard: tuple[SpokenWord, ...]) -> Transcript:
        words = self._resumption.join(heard, turn.turn_order, is_end=turn.end_of_turn)
        return read(turn, heard, words, self.session_id)


def _all_final(transcript: Transcript) -> bool:
    return all(word.final for word in transcript.words)


def _news(before: Transcript, after: Transcript) -> bool:
    """Whether words were added, changed or settled; their times differ in every message."""
    old = shared(before.words, after.words)
    one, other = before.words[old:], after.words[old:]
    return [(w.text, w.final) for w in one] != [(w.text, w.final) for w in other]
