"""Fold the service's messages into speech events that are balanced on both model families.

             first words                     end of turn
      IDLE ──────────────► SPEAKING ─────────────────────────────► IDLE
        ▲                     │ end of turn, without formatting, and a formatted twin may come
        │                     ▼
        └────────────────── SETTLED     (the twin, its deadline, the next turn, or the close)

Every StartOfSpeech gets its EndOfSpeech; a turn's Final comes right before its end; what comes
after a turn's end is never a Final. There is no clock and no I/O: `now` is any monotonic time in
seconds, and `deadline` says when to call `expire` (protocol notes, sections 8 and 9).
"""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from stt_assemblyai.messages import SpeakerRevision, SpeechStarted, Turn, Word
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


class _State(Enum):
    IDLE = "idle"
    SPEAKING = "speaking"
    SETTLED = "settled"


class TurnMapper:
    """Maps one session's messages; `wait_seconds` is the patience for a formatted twin.

    `wait_seconds` of 0 gives the unformatted Final at once. `eager_confidence` is, for the U3
    family, the `end_of_turn_confidence` from which a partial is a Preflight.
    """

    def __init__(
        self,
        session_id: str = "",
        *,
        expect_twin: bool,
        wait_seconds: float = 0.3,
        eager_confidence: float | None = None,
    ) -> None:
        self._state = _State.IDLE
        self.session_id = session_id
        self._expect_twin = expect_twin
        self._wait_seconds = wait_seconds
        self._eager_confidence = eager_confidence
        self._onset_ms: int | None = None
        self._latest: Transcript | None = None  # of the open or settled turn
        self._ended: Transcript | None = None  # the last turn that got its end
        self._ended_order = -1
        self._preflight_words: tuple[str, ...] = ()
        self.deadline: float | None = None

    @property
    def in_turn(self) -> bool:
        """A StartOfSpeech was given and its EndOfSpeech was not."""
        return self._state is not _State.IDLE

    def receive(self, message: Turn | SpeechStarted | SpeakerRevision, now: float) -> Events:
        """Take a message in."""
        match message:
            case SpeechStarted():
                self._onset_ms = message.timestamp
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
        before: Events = ()
        if self._latest is not None and turn.turn_order > self._latest.turn_order:
            before = self._end_turn()  # the next turn began: nothing more comes for this one
        return before + self._current_turn(turn, now)

    def _current_turn(self, turn: Turn, now: float) -> Events:
        transcript = self._read(turn)
        if self._state is _State.SETTLED:
            return self._twin(turn, transcript)
        if not transcript.text:
            return self._end_without_words(turn) if turn.end_of_turn else ()
        start = self._start(transcript)
        previous, self._latest = self._latest, transcript
        if turn.end_of_turn:
            return start + self._settle(transcript, now)
        if self._is_preflight(turn):
            return start + self._preflight(transcript)
        if previous is not None and previous.text == transcript.text:
            return start
        return (*start, Interim(transcript))

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
        latest, self._latest = self._latest, None
        assert latest is not None  # a turn in progress has words
        self._ended, self._ended_order = latest, latest.turn_order
        self._state, self.deadline, self._preflight_words = _State.IDLE, None, ()
        return Final(latest), EndOfSpeech(latest.end_ms)

    def _end_without_words(self, turn: Turn) -> Events:
        """An empty final: an extra one after Terminate, or words that were taken back (8.1)."""
        latest = self._latest
        if latest is not None and any(word.final for word in latest.words):
            return self._end_turn()
        self._ended_order, self._ended = turn.turn_order, None
        if latest is None:
            return ()
        self._state, self._latest, self._preflight_words = _State.IDLE, None, ()
        return (EndOfSpeech(latest.end_ms),)

    def _after_the_end(self, turn: Turn) -> Events:
        ended = self._ended
        if ended is None or ended.turn_order != turn.turn_order or ended.formatted:
            return ()
        transcript = self._read(turn)
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
        words = tuple(_bare(word) for word in transcript.text.split())
        if words == self._preflight_words:
            return ()
        self._preflight_words = words
        return (Preflight(transcript),)

    def _revise(self, message: SpeakerRevision) -> SpeakersRevised:
        speakers = tuple((r.turn_order, _known(r.speaker_label)) for r in message.revisions)
        return SpeakersRevised(self.session_id, speakers)

    def _read(self, turn: Turn) -> Transcript:
        return Transcript(
            session_id=self.session_id,
            turn_order=turn.turn_order,
            text=_whole_text(turn),
            words=tuple(map(_spoken, turn.words)),
            formatted=turn.turn_is_formatted,
            end_of_turn_confidence=turn.end_of_turn_confidence,
            language=turn.language_code,
            language_confidence=turn.language_confidence,
            speaker=_known(turn.speaker_label),
        )


def _whole_text(turn: Turn) -> str:
    """The whole turn: on the US models `transcript` lacks the words that are not final yet."""
    open_words = [word.text for word in turn.words if not word.word_is_final]
    if turn.transcript and (not open_words or len(open_words) == len(turn.words)):
        return turn.transcript
    return " ".join(filter(None, [turn.transcript, *open_words]))


def _spoken(word: Word) -> SpokenWord:
    return SpokenWord(
        text=word.text,
        start_ms=word.start,
        end_ms=word.end,
        confidence=word.confidence,
        final=word.word_is_final,
        speaker=_known(word.speaker),
    )


def _known(speaker: str | None) -> str | None:
    """PENDING and UNKNOWN are not speakers (section 7.3)."""
    return None if speaker in ("PENDING", "UNKNOWN") else speaker


def _bare(word: str) -> str:
    """A word without case and punctuation."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())
