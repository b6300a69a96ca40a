"""What is known about one utterance of the caller, from its speech events."""

from livekit.agents import stt

from config.phrases import words_of

Type = stt.SpeechEventType
TRANSCRIPTS = (Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT, Type.FINAL_TRANSCRIPT)


class Utterance:
    """One utterance. Times are seconds on the event loop's clock, except `begun_at_wall_time`."""

    def __init__(self, begun_at: float, begun_at_wall_time: float) -> None:
        self.begun_at = begun_at
        self.begun_at_wall_time = begun_at_wall_time
        self.ended_at: float | None = None
        self.finals: list[str] = []
        self.language = ""
        self.confidence: float | None = None
        self.is_changed = False
        """Whether the last event changed the words."""
        self._spoken_seconds: float | None = None  # from the first word's start to the last's end
        self._latest = ""

    @property
    def text(self) -> str:
        """All words that are known so far."""
        return " ".join((*self.finals, self._latest)).strip()

    @property
    def voice_seconds(self) -> float | None:
        """How long the voice lasted; None if that is not known."""
        return self._spoken_seconds if self.ended_at is None else self.ended_at - self.begun_at

    def read(self, event: stt.SpeechEvent, now: float) -> None:
        """Take an event that has come at `now`."""
        before = words_of(self.text)
        self._read(event, now)
        self.is_changed = words_of(self.text) != before

    def _read(self, event: stt.SpeechEvent, now: float) -> None:
        if event.speech_end_time is not None:
            self.ended_at = now - max(0.0, event.created_at - event.speech_end_time)
        self._latest = ""  # at the end only final words count
        if event.type not in TRANSCRIPTS or not event.alternatives:
            return
        best = event.alternatives[0]
        self.language = best.language or self.language
        self.confidence = best.confidence
        self._spoken_seconds = best.end_time - best.start_time if best.end_time else None
        if event.type is Type.FINAL_TRANSCRIPT:
            self.finals.append(best.text)
        else:
            self._latest = best.text
