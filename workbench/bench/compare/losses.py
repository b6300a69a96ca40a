"""Words lost over whole minutes: cut connections, and one that dies without a sign."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from workbench.bench.compare.observation import Observation
from workbench.bench.compare.scenario import Scenario
from workbench.bench.compare.spoken import say, sentences
from workbench.standins.assemblyai_v3.knobs import NO_FAULT, Fault

__all__ = ["TROUBLES", "Loss", "Trouble", "add_up"]

_US = {"model": "universal-streaming-english", "format_turns": False}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to each of some streams, at moments that are drawn for each from its seed."""

    title: str
    seconds: float
    cuts: int = 0
    half_open: bool = False

    def streams(self, count: int) -> list[Scenario]:
        """One scenario for each stream; the same ones for everybody, each time."""
        return [self._stream(random.Random(seed)) for seed in range(count)]

    def _stream(self, dice: random.Random) -> Scenario:
        spacing = self.seconds / max(1, self.cuts)
        cuts = tuple(spacing * (n + dice.uniform(0.25, 0.75)) for n in range(self.cuts))
        dead_ms = round(self.seconds * 1000 * dice.uniform(0.2, 0.5))
        return Scenario(
            "",
            self.title,
            say(sentences(self.seconds)),
            (),
            faults=(Fault(half_open_at_ms=dead_ms) if self.half_open else NO_FAULT,),
            cuts_at_seconds=cuts,
            parameters=_US,
            limit_seconds=self.seconds + 15,
        )


TROUBLES = (
    Trouble("one cut connection in a minute", 60, cuts=1),
    Trouble("six cut connections in a minute", 60, cuts=6),
    Trouble("one half-open socket in 40 s", 40, half_open=True),
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What some streams lost together."""

    streams: int
    said: int
    lost: int
    doubled: int
    died: int
    starts: int
    ends: int
    last_final_seconds: float | None
    """The median wait for a stream's last final, of the streams in which it came."""


def add_up(seen: Sequence[Observation]) -> Loss:
    """All streams of one client in one trouble."""
    kinds = [event.event.type.value for one in seen for event in one.seen]
    last = [after for one in seen if (after := one.last_word_came_after) is not None]
    said = sum(len(one.said) for one in seen)
    return Loss(
        streams=len(seen),
        said=said,
        lost=said - sum(one.words[0] for one in seen),
        doubled=sum(one.words[1] for one in seen),
        died=sum(one.failure is not None for one in seen),
        starts=kinds.count("start_of_speech"),
        ends=kinds.count("end_of_speech"),
        last_final_seconds=median(last) if last else None,
    )
