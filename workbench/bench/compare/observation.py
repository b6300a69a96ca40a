"""What one client did in one scenario, as it was measured. All times are seconds of the run."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from livekit.agents import stt

from workbench.bench.compare.spoken import Speech, count
from workbench.standins.assemblyai_v3.record import SessionRecord

__all__ = ["Failure", "Observation", "Seen"]

Type = stt.SpeechEventType


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of the stream, and when it came."""

    at: float
    event: stt.SpeechEvent

    @property
    def text(self) -> str:
        return self.event.alternatives[0].text if self.event.alternatives else ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What the application got instead of events."""

    at: float
    text: str
    retryable: bool


@dataclass(slots=True)
class Observation:
    """Filled by the driver while the scenario plays."""

    said: Speech
    sessions: list[SessionRecord]
    seen: list[Seen] = field(default_factory=list)
    failure: Failure | None = None
    ending_at: float = 0.0
    """When the application ended the input, or hung up."""
    closed_at: float = 0.0
    burst_ms: float | None = None
    """Audio that the first session received in its first tenth of a second."""
    revised_speakers: int = 0
    log_errors: int = 0

    def of(self, kind: stt.SpeechEventType) -> Iterator[Seen]:
        """The events of a kind, in their order."""
        return (seen for seen in self.seen if seen.event.type is kind)

    @property
    def finals(self) -> list[Seen]:
        return list(self.of(Type.FINAL_TRANSCRIPT))

    @property
    def words(self) -> tuple[int, int]:
        """How many words of finals were said, and how many came too often."""
        return count(self.said, [final.text for final in self.finals])

    @property
    def is_complete(self) -> bool:
        """All that was said has come, and every turn has ended."""
        ends = sum(1 for _ in self.of(Type.END_OF_SPEECH))
        finals = self.finals
        return ends >= len(finals) > 0 and self.words[0] == len(self.said)

    @property
    def last_word_came_after(self) -> float | None:
        """From the end of the last word to the final that holds it."""
        if not self.said:
            return None
        for final in self.finals:
            if count(self.said[-1:], [final.text])[0]:
                return final.at - self.said[-1].end_ms / 1000
        return None
