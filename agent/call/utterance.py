"""What is known of one utterance of the caller, from the speech events that tell it."""

from livekit.agents import stt

from config.phrases import words_of

Type = stt.SpeechEventType
TRANSCRIPTS = (Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT, Type.FINAL_TRANSCRIPT)


class Utterance:
    """Times are seconds on the event loop's clock, but for the wall time."""

    def __init__(self, begun_at: float, begun_at_wall_time: float) -> None:
        self.begun_at = begun_at
        self.begun_at_wall_time = begun_at_wall_time
        self.ended_at: float | None = None
        self.finals: list[str] = []
        self.language = ""
        self.confidence: float | None = None
        self.is_changed = False
        """Whether the last event brought other words."""
        self._spoken_seconds: float | None = None  # by the times of its words
        self._latest = ""

    @property
    def text(self) -> str:
        """All that was said, as far as it is known."""
        return " ".join((*self.finals, self._latest)).strip()

    @property
    def voice_seconds(self) -> float | None:
        """How long the voice lasted."""
        return self._spoken_seconds if self.ended_at is None else self.ended_at - self.begun_at

    def read(self, event: stt.SpeechEvent, now: float) -> None:
        """Learn what an event says, which has just come."""
        before = words_of(self.text)
        self._read(event, now)
        self.is_changed = words_of(self.text) != before

    def _read(self, event: stt.SpeechEvent, now: float) -> None:
        if event.speech_end_time is not None:
            self.ended_at = now - max(0.0, event.created_at - event.speech_end_time)
        self._latest = ""  # at the end only what is final was said
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
