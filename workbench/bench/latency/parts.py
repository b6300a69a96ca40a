"""The parts of a run: what each measures, and how long it may take."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from workbench.bench.latency.contestants import CONTESTANTS, SWEPT
from workbench.bench.latency.dialogue import Line
from workbench.bench.latency.measurement import Summary
from workbench.bench.latency.process import measure_in_process
from workbench.bench.latency.providers import Delays
from workbench.bench.latency.room import measure_in_room
from workbench.bench.latency.sweep import sweep

__all__ = ["PARTS", "SWEEP", "TOTAL_SECONDS", "Fault", "Figures", "Part", "Sweep", "bounded"]

T = TypeVar("T")

log = logging.getLogger(__name__)

TOTAL_SECONDS = 900.0
"""Of all parts together, at most."""
TURN_SECONDS = 6.75
"""From the end of one line of a contestant's to the end of its next: room for a reply, for quiet,
and for the longest line."""

Figures = Mapping[str, Summary]
"""By contestant."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a part has no figures, in a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One measurement of all contestants."""

    name: str
    where: str
    late: bool
    measure: Callable[..., Coroutine[Any, Any, Figures]]
    picture: str
    """The file's name."""
    limit_seconds: float
    """The part ends after this time, its processes' start and end included."""

    @property
    def service(self) -> str:
        return "tells late" if self.late else "usual"

    @property
    def heading(self) -> str:
        late = ", a service that tells late" if self.late else ""
        return f"{self.where}{late}"

    def run(self, lines: Sequence[Line], delays: Delays) -> Coroutine[Any, Any, Figures]:
        """Every contestant's turns."""
        chosen = replace(delays, tells_late=self.late)
        return self.measure(CONTESTANTS, lines, chosen, TURN_SECONDS / len(CONTESTANTS))


_ROOM = "In a room, heard by a WebRTC caller"
PARTS = (
    Part("process", "Inside one process", False, measure_in_process, "latency.svg", 180),
    Part("process-late", "Inside one process", True, measure_in_process, "latency-late.svg", 180),
    Part("room", _ROOM, False, measure_in_room, "latency-room.svg", 240),
    Part("room-late", _ROOM, True, measure_in_room, "latency-room-late.svg", 240),
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """The part that changes one delay at a time."""

    name: str = "delays"
    heading: str = "How the advantage moves with the delays"
    limit_seconds: float = 170

    def run(
        self, lines: Sequence[Line], delays: Delays
    ) -> Coroutine[Any, Any, Mapping[str, Figures]]:
        """Every case's."""
        return sweep(SWEPT, lines, delays, TURN_SECONDS / len(SWEPT))


SWEEP = Sweep()


async def bounded(measuring: Coroutine[Any, Any, T], seconds: float) -> T | Fault:
    """What it comes to; or, where it fails or takes longer, why not. Nothing is raised: the other
    parts have their figures all the same."""
    if seconds <= 0:
        measuring.close()
        return Fault("no time was left for it")
    try:
        async with asyncio.timeout(seconds):
            return await measuring
    except TimeoutError:
        return Fault(f"it was stopped after {seconds:.0f} s, which is as long as it may take")
    except Exception as error:
        log.debug("a part failed", exc_info=True)
        return Fault(f"it failed: {_cause(error)}")


def _cause(error: Exception | BaseException) -> str:
    """The first of a group's, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
