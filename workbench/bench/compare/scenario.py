"""What a comparison plays: something said, something that goes wrong, and how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.bench.compare.figures import Figure
from workbench.bench.compare.spoken import Speech
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs

__all__ = ["Scenario"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`number` is that of protocol notes, section 15. Times count from the stream's beginning.

    The caller speaks in real time and then stays on the line, silent, until all words have come
    or `limit_seconds` are over; `hang_up_at_ms` ends the call there instead, whatever has come.
    """

    number: str
    title: str
    speech: Speech
    figures: tuple[Figure, ...]
    faults: tuple[Fault, ...] = ()
    """One for each of the first connections."""
    faults_until_seconds: float | None = None
    """Later connections are well, even if faults are left."""
    refused_until_seconds: float | None = None
    """Nobody listens until then."""
    cuts_at_seconds: tuple[float, ...] = ()
    """Whatever is connected then breaks off."""
    knobs: Knobs = field(default_factory=Knobs)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api_key: str | None = None
    sample_rate: int = 16_000
    frame_ms: int = 50
    mute_from_ms: int | None = None
    """No more audio comes from here on, as from a muted track."""
    hang_up_at_ms: int | None = None
    ending: Literal["end_input", "aclose"] = "end_input"
    limit_seconds: float = 12.0
