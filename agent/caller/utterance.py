"""Something that a caller says."""

from dataclasses import dataclass

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.timeline import Samples


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something a caller says: mono, 48 kHz, from its first to its last sound."""

    text: str
    samples: Samples
    source: str
    """Who speaks: the recording's name, or "synthesised"."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.size / SAMPLE_RATE
