"""What is kept of a call: enough to score it again without holding it again."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from workbench.bench.talk.spans import Conversation, Kind, Span, Stimulus, joined

__all__ = ["KeptCall", "KeptSegment", "KeptStimulus", "read", "write"]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptStimulus(_Kept):
    """One sound of the caller, in milliseconds of the call."""

    kind: Kind
    start_ms: float
    end_ms: float
    text: str
    source: str
    is_over_reply: bool
    softer_after_ms: float | None = None
    """From its begin until the agent, if it spoke, was softer by 9 dB or silent."""


class KeptSegment(_Kept):
    """Somebody's words as the room showed them at last."""

    is_callers: bool
    opened_ms: float
    text: str


class KeptCall(_Kept):
    """A call that was held to its end, or as far as it went."""

    contestant: str
    name: str
    line: str
    stand_ins: str
    """Which providers were stand-ins; empty: none."""
    stimuli: tuple[KeptStimulus, ...]
    agent_speech: tuple[tuple[float, float], ...]
    """Sound of the agent in milliseconds, with every gap of more than 50 ms."""
    segments: tuple[KeptSegment, ...]
    longest_stall_ms: float
    """How late the caller's own loop was at worst."""
    cpu_percent: float
    """Of all cores, while the call went on."""
    fault: str = ""

    def conversation(self, pause_ms: float) -> Conversation:
        """As the score wants it; gaps of up to `pause_ms` are the voice's own pauses."""
        speech = [Span(start, end) for start, end in self.agent_speech]
        return Conversation(
            stimuli=tuple(
                Stimulus(each.kind, Span(each.start_ms, each.end_ms), each.text, line=self.line)
                for each in self.stimuli
            ),
            agent_speech=joined(speech, pause_ms),
            heard=tuple(each.text for each in self.segments if each.is_callers),
        )


_CALLS = TypeAdapter(tuple[KeptCall, ...])


def read(path: Path) -> tuple[KeptCall, ...]:
    """The calls of a run; none where there was no run, or one that kept other things of them."""
    try:
        return _CALLS.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return ()


def write(path: Path, calls: Sequence[KeptCall]) -> None:
    """Put them in place of what is there, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(_CALLS.dump_json(tuple(calls), indent=1))
    fresh.replace(path)
