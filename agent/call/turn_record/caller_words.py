"""Reads the caller's speech events, as the session gets them, into the call's turns."""

from livekit.agents import stt

from agent.call.turn_record.clock import CallClock
from agent.call.turn_record.collector import Collector
from agent.call.turn_record.drafts import SpeechEnd
from agent.records.schema import Word
from config.phrases import Words, words_of

Type = stt.SpeechEventType

SHORTEST_HOLD_MS = 20
"""An end that comes sooner than this after the recogniser's was not held back."""


class CallerWords:
    """For one call. An event's `created_at` is when the recogniser gave it: what comes after that
    was held back by our own filters."""

    def __init__(self, collector: Collector, clock: CallClock) -> None:
        self._collector = collector
        self._clock = clock
        self._settled: Words = ()
        """The words that were final already."""
        self._final: stt.SpeechEvent | None = None
        self.holds_ends = False
        """Our end-of-turn model may hold ends back."""
        self._said: list[str] = []
        """What the caller has said in this turn; the last may not be final."""
        self._is_final = True
        self.is_asked_to_end = False
        """Our end-of-turn model has asked AssemblyAI to end the turn."""

    @property
    def unfinished(self) -> str:
        """What the caller has said in a turn that is not over."""
        return " ".join(self._said)

    def end_turn(self) -> None:
        """The turn is over: its words are in the history."""
        self._said, self._is_final = [], True

    def hear(self, event: stt.SpeechEvent) -> None:
        """Take the next event."""
        match event.type:
            case Type.START_OF_SPEECH:
                self._settled, self._final = (), None
                began_at = event.speech_start_time or event.created_at
                self._collector.voice_began(self._clock.of_wall(began_at))
            case Type.INTERIM_TRANSCRIPT | Type.PREFLIGHT_TRANSCRIPT if event.alternatives:
                self._hear(event.alternatives[0].text, is_final=False)
                if (event.alternatives[0].metadata or {}).get("settled"):
                    self._settle(event)
            case Type.FINAL_TRANSCRIPT if event.alternatives and event.alternatives[0].text:
                self._settle(event)
                self._final = event
                self._hear(event.alternatives[0].text, is_final=True)
                self._collector.said(self._words(event.alternatives[0]))
            case Type.END_OF_SPEECH:
                self._end(event)
            case _:
                pass

    def _hear(self, text: str, *, is_final: bool) -> None:
        self._said[len(self._said) - (not self._is_final) :] = [text]
        self._is_final = is_final

    def _settle(self, event: stt.SpeechEvent) -> None:
        words = words_of(event.alternatives[0].text)
        if words != self._settled:
            self._settled = words
            self._collector.last_word_final(self._clock.of_wall(event.created_at))

    def _end(self, event: stt.SpeechEvent) -> None:
        told = (self._final.alternatives[0].metadata or {}) if self._final else {}
        ended_at = event.speech_end_time
        reason = told.get("end_reason")
        if reason == "forced" and self.is_asked_to_end:
            reason = "second_opinion"
        self.is_asked_to_end = False
        came_ms = self._clock.of_wall(event.created_at)
        held_for_ms = self._clock.now_ms() - came_ms if self.holds_ends else 0
        self._collector.voice_ended(
            SpeechEnd(
                self._clock.of_wall(told.get("decided_at") or event.created_at),
                ended_ms=None if ended_at is None else self._clock.of_wall(ended_at),
                reason=reason,
                confidence=told.get("end_of_turn_confidence"),
                held_for_ms=held_for_ms if held_for_ms > SHORTEST_HOLD_MS else None,
            )
        )
        if self._final and told.get("formatted"):
            self._collector.formatted(self._clock.of_wall(self._final.created_at))

    def _words(self, best: stt.SpeechData) -> list[Word]:
        """The words at their times in the call; none if the recogniser does not say when."""
        ended_at = (best.metadata or {}).get("ended_at")
        if ended_at is None:
            return []
        behind_ms = self._clock.of_wall(ended_at) - round(best.end_time * 1000)
        return [
            Word(
                text=str(word),
                start_ms=round(float(word.start_time) * 1000) + behind_ms,
                end_ms=round(float(word.end_time) * 1000) + behind_ms,
            )
            for word in best.words or ()
            if isinstance(word.start_time, float) and isinstance(word.end_time, float)
        ]
