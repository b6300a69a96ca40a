"""What happened in a conversation, as spans of time: all that a score needs to know.

All times are milliseconds on one clock, that of the caller who hears both sides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Conversation", "Kind", "Span", "Stimulus", "joined"]


class Kind(StrEnum):
    """What a caller's sound is to the agent. Only the first wants an answer."""

    TURN = "turn"
    """Words to the agent. Begun while it speaks they are an interruption, which no kind says."""
    BACKCHANNEL = "backchannel"
    VOCAL_TIC = "vocal tic"
    """A cough, a sniff, a laugh, an "um"."""
    NON_DIRECTED = "non-directed"
    """Speech to somebody else, or of somebody else."""
    NOISE = "noise"
    """No voice: a door, a keyboard, traffic."""


@dataclass(frozen=True, slots=True)
class Span:
    """From first to last sample of something. Raises ValueError where it is not longer than 0."""

    start_ms: float
    end_ms: float

    def __post_init__(self) -> None:
        if not self.start_ms < self.end_ms:
            raise ValueError(f"A span ends after it begins, not {self}")

    @property
    def length_ms(self) -> float:
        return self.end_ms - self.start_ms

    def overlap_ms(self, other: "Span") -> float:
        """How long both last at once."""
        return max(0.0, min(self.end_ms, other.end_ms) - max(self.start_ms, other.start_ms))


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One sound of the caller's side."""

    kind: Kind
    span: Span
    text: str = ""
    """The words said; "" where there are none."""
    needs_tool: bool = False
    """A turn that the agent calls a tool to answer."""
    line: str = ""
    """What it came over, such as "mu-law": figures are told apart by it."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that was heard of one. Both sides are in the order of time."""

    stimuli: tuple[Stimulus, ...]
    agent_speech: tuple[Span, ...]
    """The agent's sound as the caller received it. A pause of the voice within a reply is part of
    it; a stop, however short, is not. `joined` closes the gaps that are the voice's own."""
    heard: tuple[str, ...] = ()
    """The caller's texts that are in the conversation afterwards, whatever their mark."""

    @property
    def turns(self) -> tuple[Stimulus, ...]:
        """What wants an answer."""
        return tuple(each for each in self.stimuli if each.kind is Kind.TURN)


def joined(spans: Iterable[Span], pause_ms: float) -> tuple[Span, ...]:
    """The spans in order, with gaps of at most `pause_ms` closed; overlapping ones become one."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start_ms):
        if merged and span.start_ms - merged[-1].end_ms <= pause_ms:
            last = merged.pop()
            span = Span(last.start_ms, max(last.end_ms, span.end_ms))
        merged.append(span)
    return tuple(merged)
