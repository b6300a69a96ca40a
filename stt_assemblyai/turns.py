"""Fold the service's messages into speech events that are balanced on both model families.

             first words                     end of turn
      IDLE ──────────────► SPEAKING ─────────────────────────────► IDLE
        ▲                     │ end of turn, without formatting, and a formatted twin may come
        │                     ▼
        └────────────────── SETTLED     (the twin, its deadline, the next turn, or the close)

Every StartOfSpeech gets its EndOfSpeech; a turn's Final comes right before its end; what comes
after a turn's end is never a Final. A turn that is open when a session breaks off goes on in the
next one (`resume`). There is no clock and no I/O: `now` is any monotonic time in seconds, and
`deadline` says when to call `expire` (protocol notes, sections 8 and 9).
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import assert_never

from stt_assemblyai.clock import AudioClock
from stt_assemblyai.messages import SpeakerRevision, SpeechStarted, Turn, Word
from stt_assemblyai.seam import NO_SEAM, Seam, bare, replay_from
from stt_assemblyai.speech import (
    EndOfSpeech,
    Events,
    Final,
    Interim,
    LateFormat,
    Preflight,
    SpeakersRevised,
    SpokenWord,
    StartOfSpeech,
    Transcript,
)

__all__ = ["TurnMapper"]


_NEVER = 2**60
_REWRITTEN_MS = 5000  # words are rewritten at most this long after they were said
_REMEMBERED_WORDS = 32  # more than are ever heard again
_UNSETTLED_LEAD_MS = 600  # the sound before a turn's first word


class _State(Enum):
    IDLE = "idle"
    SPEAKING = "speaking"
    SETTLED = "settled"


class TurnMapper:
    """Maps one stream's messages, session after session.

    `wait_seconds` is the patience for a formatted twin; 0 gives the unformatted Final at once.
    `eager_confidence` is, for the U3 family, the `end_of_turn_confidence` from which a partial is
    a Preflight. `clock` translates the session's times into the stream's.
    """

    def __init__(
        self,
        clock: AudioClock,
        *,
        expect_twin: bool,
        wait_seconds: float = 0.3,
        eager_confidence: float | None = None,
    ) -> None:
        self.session_id = ""
        self.deadline: float | None = None
        self._state = _State.IDLE
        self._clock = clock
        self._expect_twin = expect_twin
        self._wait_seconds = wait_seconds
        self._eager_confidence = eager_confidence
        self._onset_ms: int | None = None
        self._order = -1  # of the open or settled turn, in this session
        self._latest: Transcript | None = None  # of that turn
        self._ended: Transcript | None = None  # the last turn that got its end in this session
        self._ended_order = -1
        self._preflight_words: tuple[str, ...] = ()
        self._said: tuple[SpokenWord, ...] = ()  # the newest words of ended turns
        self._carried: tuple[SpokenWord, ...] = ()  # of a turn that began in an earlier session
        self._taken_up = False
        self._seam = NO_SEAM
        self._seam_order = _NEVER  # the turn in which this session came to what is new

    @property
    def in_turn(self) -> bool:
        """A StartOfSpeech was given and its EndOfSpeech was not."""
        return self._state is not _State.IDLE

    @property
    def needed_from_ms(self) -> float:
        """From here on audio is not settled yet: a new session would have to hear it again."""
        if self._latest is None:
            return replay_from(self._said)
        settled = [word for word in _settle(self._latest.words) if word.final]
        if settled:
            return replay_from(settled)
        return max(0, self._latest.start_ms - _UNSETTLED_LEAD_MS)

    @property
    def said_until_ms(self) -> int:
        """Where the last word of an ended turn ended."""
        return self._said[-1].end_ms if self._said else 0

    @property
    def carried_until_ms(self) -> int | None:
        """Where a turn from an earlier session ended so far, until this one takes it up."""
        return self._carried[-1].end_ms if self._carried and not self._taken_up else None

    def resume(self, clock: AudioClock, from_ms: float) -> Events:
        """The session broke off; the next one will hear the stream from `from_ms` on."""
        events = self._end_turn() if self._state is _State.SETTLED else ()
        self._clock, self._onset_ms = clock, None
        self._order, self._ended, self._ended_order = 0, None, -1
        self._carried = _settle(self._latest.words) if self._latest else ()
        self._taken_up = False
        settled = tuple(word for word in self._carried if word.final)
        self._seam, self._seam_order = Seam((*self._said, *settled), from_ms), _NEVER
        return events

    def give_up_carried(self) -> Events:
        """The new session says nothing about the turn that was open: end it with what is known."""
        return self._end_turn() if self._carried and not self._taken_up else ()

    def receive(self, message: Turn | SpeechStarted | SpeakerRevision, now: float) -> Events:
        """Take a message in."""
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
        """Stop waiting for a twin whose deadline has passed."""
        return self._end_turn() if self.deadline is not None and now >= self.deadline else ()

    def close(self) -> Events:
        """Nothing more will come: give an open turn its Final and its end."""
        return self._end_turn() if self.in_turn else ()

    def _turn(self, turn: Turn, now: float) -> Events:
        if turn.turn_order <= self._ended_order:
            return self._after_the_end(turn)
        if turn.turn_order > self._seam_order:
            self._seam = NO_SEAM  # all that was said before is behind us
        before: Events = ()
        if self.in_turn and turn.turn_order > self._order:
            before = self._end_turn()  # the next turn began: nothing more comes for this one
        return before + self._current_turn(turn, now)

    def _current_turn(self, turn: Turn, now: float) -> Events:
        heard = self._words(turn)
        transcript = self._read(turn, heard)
        if turn.end_of_turn and self._seam.reached(heard):
            self._seam_order = turn.turn_order
        if self._state is _State.SETTLED:
            return self._twin(turn, transcript)
        if self._carried and not self._taken_up:
            self._taken_up = self._concerns_carried(heard)
            if turn.end_of_turn and not self._taken_up:
                return self._skip(turn)
        if not transcript.text:
            return self._end_without_words(turn) if turn.end_of_turn else ()
        start = self._start(transcript)
        previous, self._latest, self._order = self._latest, transcript, turn.turn_order
        if turn.end_of_turn:
            return start + self._settle(transcript, now)
        if self._is_preflight(turn):
            return start + self._preflight(transcript)
        if previous is not None and previous.text == transcript.text:
            return start
        return (*start, Interim(transcript))

    def _concerns_carried(self, heard: tuple[SpokenWord, ...]) -> bool:
        """Whether a message is about the turn that an earlier session left open."""
        if any(word.final for word in self._carried):
            return self._seam.reached(heard)
        return bool(self._seam.fresh(heard))

    def _skip(self, turn: Turn) -> Events:
        """A turn of which all had been said before the one that is open: that one goes on."""
        self._ended_order, self._order = turn.turn_order, turn.turn_order + 1
        return ()

    def _start(self, transcript: Transcript) -> Events:
        if self._state is not _State.IDLE:
            return ()
        self._state = _State.SPEAKING
        onset, self._onset_ms = self._onset_ms, None
        return (StartOfSpeech(transcript.start_ms if onset is None else onset),)

    def _settle(self, transcript: Transcript, now: float) -> Events:
        """The turn is over; a formatted twin is worth a short wait where one is to be expected."""
        if transcript.formatted or not self._expect_twin or self._wait_seconds <= 0:
            return self._end_turn()
        self._state = _State.SETTLED
        self.deadline = now + self._wait_seconds
        return self._preflight(transcript)

    def _twin(self, turn: Turn, transcript: Transcript) -> Events:
        if not (turn.end_of_turn and transcript.formatted):
            return ()
        if transcript.text:
            self._latest = transcript
        return self._end_turn()

    def _end_turn(self) -> Events:
        latest = self._latest
        assert latest is not None  # a turn in progress has words
        self._ended = None if self._carried else latest  # a twin would lack what was carried
        self._ended_order = self._order
        self._said = (*self._said, *latest.words)[-_REMEMBERED_WORDS:]
        self._become_idle()
        return Final(latest), EndOfSpeech(latest.end_ms)

    def _end_without_words(self, turn: Turn) -> Events:
        """An empty final: an extra one after Terminate, or words that were taken back (8.1)."""
        latest = self._latest
        if latest is not None and any(word.final for word in latest.words):
            return self._end_turn()
        self._ended_order, self._ended = turn.turn_order, None
        self._become_idle()
        return () if latest is None else (EndOfSpeech(latest.end_ms),)

    def _become_idle(self) -> None:
        self._state, self._latest, self.deadline = _State.IDLE, None, None
        self._preflight_words, self._carried = (), ()

    def _after_the_end(self, turn: Turn) -> Events:
        ended = self._ended
        if ended is None or ended.turn_order != turn.turn_order or ended.formatted:
            return ()
        transcript = self._read(turn, self._words(turn))
        if not (turn.end_of_turn and transcript.formatted and transcript.text):
            return ()
        self._ended = transcript
        return (LateFormat(transcript),)

    def _is_preflight(self, turn: Turn) -> bool:
        """US: an utterance ended inside the turn. U3: the service thinks the turn may be over."""
        eager = self._eager_confidence
        return bool(turn.utterance) or (eager is not None and turn.end_of_turn_confidence >= eager)

    def _preflight(self, transcript: Transcript) -> Events:
        """Each Preflight with new words costs an answer, so the same words are sent once."""
        words = tuple(bare(word) for word in transcript.text.split())
        if words == self._preflight_words:
            return ()
        self._preflight_words = words
        return (Preflight(transcript),)

    def _revise(self, message: SpeakerRevision) -> SpeakersRevised:
        speakers = tuple((r.turn_order, _known(r.speaker_label)) for r in message.revisions)
        return SpeakersRevised(self.session_id, speakers)

    def _words(self, turn: Turn) -> tuple[SpokenWord, ...]:
        """The words of a message on the stream's clock."""
        return tuple(self._spoken(word) for word in turn.words)

    def _spoken(self, word: Word) -> SpokenWord:
        return SpokenWord(
            text=word.text,
            start_ms=self._clock.to_stream(word.start),
            end_ms=self._clock.to_stream(word.end),
            confidence=word.confidence,
            final=word.word_is_final,
            speaker=_known(word.speaker),
        )

    def _read(self, turn: Turn, heard: tuple[SpokenWord, ...]) -> Transcript:
        words = self._joined(turn, heard)
        untouched = words == heard
        return Transcript(
            session_id=self.session_id,
            turn_order=turn.turn_order,
            text=_whole_text(turn) if untouched else " ".join(word.text for word in words),
            words=words,
            formatted=turn.turn_is_formatted,
            end_of_turn_confidence=turn.end_of_turn_confidence,
            language=turn.language_code,
            language_confidence=turn.language_confidence,
            speaker=_known(turn.speaker_label),
        )

    def _joined(self, turn: Turn, heard: tuple[SpokenWord, ...]) -> tuple[SpokenWord, ...]:
        """What was settled before the seam, what is new behind it, and, as long as the turn is
        open, the words that the new session has yet to reach: text never goes backwards."""
        fresh = self._seam.fresh(heard)
        if not self._carried:
            return fresh
        settled = tuple(word for word in self._carried if word.final)
        if turn.end_of_turn:
            return settled + fresh
        reached_ms = heard[-1].end_ms if heard else 0
        ahead = tuple(w for w in self._carried if not w.final and w.end_ms > reached_ms)
        if fresh and ahead and ahead[0].start_ms < reached_ms:
            fresh = fresh[:-1]  # the beginning of a word that was known as a whole
        return settled + fresh + ahead


def _settle(words: tuple[SpokenWord, ...]) -> tuple[SpokenWord, ...]:
    """In a long turn older words are taken for final, though the U3 family might rewrite them: to
    hear all of it again, at little more than real time, would leave the caller waiting."""
    if not words or words[-1].end_ms - words[0].end_ms < _REWRITTEN_MS:
        return words
    until_ms = words[-1].end_ms - _REWRITTEN_MS
    return tuple(replace(w, final=w.final or w.end_ms <= until_ms) for w in words)


def _whole_text(turn: Turn) -> str:
    """The whole turn: on the US models `transcript` lacks the words that are not final yet."""
    open_words = [word.text for word in turn.words if not word.word_is_final]
    if turn.transcript and (not open_words or len(open_words) == len(turn.words)):
        return turn.transcript
    return " ".join(filter(None, [turn.transcript, *open_words]))


def _known(speaker: str | None) -> str | None:
    """PENDING and UNKNOWN are not speakers (section 7.3)."""
    return None if speaker in ("PENDING", "UNKNOWN") else speaker
