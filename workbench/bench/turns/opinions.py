"""What a second opinion on ends of turns does to people, with the real detector and without one."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, quantiles

import psutil
from livekit.local_inference import EOT
from rich.progress import track

from agent.caller.timeline import Samples
from workbench.bench.talk.eot_bench import Silence
from workbench.bench.turns import silences
from workbench.bench.turns.corpus import Call
from workbench.bench.turns.hearing import replayed, take_turns
from workbench.bench.turns.pauses import Moment, Predict, moments, voices
from workbench.bench.turns.settings import DETECTOR, VOICE_THRESHOLD, settings
from workbench.bench.turns.silences import Placed
from workbench.standins.assemblyai_v3.heard import Engines

__all__ = ["Cost", "Figures", "Heard", "Measured", "counted", "hear", "measure"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A call, and what is the same in it for every setting."""

    call: Call
    voices: Sequence[float]
    moments: Sequence[Moment]
    silences: Sequence[Placed]


@dataclass(slots=True)
class Cost:
    """What the detector costs on this machine, as it is while it is measured."""

    memory_mb: float = 0.0
    """That the process grew by, weights and one prediction."""
    cpu_seconds: float = 0.0
    predictions: int = 0

    @property
    def cpu_ms(self) -> float:
        """Of one prediction; 0 where there was none."""
        return self.cpu_seconds * 1000 / self.predictions if self.predictions else 0.0


@dataclass(slots=True)
class Figures:
    """How people fared at a setting."""

    pauses: int = 0
    """Silences of 0.2 s and more in mid-turn."""
    cut_offs: int = 0
    """Of these: the agent took the turn before the next silence."""
    waits_ms: list[float] = field(default_factory=list)
    """From the last sound of each turn until it was taken, or the next turn began."""
    silences: list[Silence] = field(default_factory=list)
    """All of them, with the moments at which a turn was taken: for eot-bench's figures."""

    @property
    def cut_off_share(self) -> float:
        return self.cut_offs / self.pauses if self.pauses else 0.0

    @property
    def mean_ms(self) -> float:
        return fmean(self.waits_ms)

    @property
    def p90_ms(self) -> float:
        return quantiles(self.waits_ms, n=10, method="inclusive")[-1]


@dataclass(slots=True)
class Measured:
    """By preset and hold in ms, None being no second opinion; the detector alone; its cost."""

    figures: dict[tuple[str, int | None], Figures] = field(default_factory=dict)
    detector: list[Silence] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)


def hear(call: Call, predict: Predict) -> Heard:
    """All that does not depend on a setting."""
    heard = voices(call.samples)
    found = moments(
        call.samples,
        heard,
        predict,
        window_seconds=DETECTOR.window_seconds,
        voice_threshold=VOICE_THRESHOLD,
    )
    return Heard(call, heard, found, silences.placed(call))


def counted(of_call: Sequence[Placed], taken_ms: Iterable[int], into: Figures) -> None:
    """Add what happened to the turns of one call."""
    taken = sorted(taken_ms)
    nexts = [begin_ms for begin_ms, _ in of_call[1:]]
    for (begin_ms, silence), next_ms in zip(of_call, [*nexts, float("inf")], strict=True):
        first = next((at for at in taken if begin_ms <= at < next_ms), None)
        if silence.is_end:
            wait_ms = silence.duration_ms if first is None else first - begin_ms
            into.waits_ms.append(min(wait_ms, silence.duration_ms))
        elif silence.is_judged:
            into.pauses += 1
            into.cut_offs += first is not None
    into.silences += silences.taken_silences(of_call, taken)


def measure(spoken: Sequence[Call], engines: Engines, holds_ms: Sequence[int]) -> Measured:
    """Every preset hears people, without a second opinion and with one for each of `holds_ms`."""
    found = Measured()
    predict = _weighed(found.cost)
    known = [hear(call, predict) for call in track(spoken, "Asking", transient=True)]
    for each in known:
        found.detector += silences.judged_silences(each.silences, each.moments)
    tried = [(hold_ms, each) for hold_ms in (None, *holds_ms) for each in settings(hold_ms)[:-1]]
    for hold_ms, setting in track(tried, "Listening to people", transient=True):
        figures = found.figures[setting.name, hold_ms] = Figures()
        for each in known:
            heard_so = replayed(engines, each.voices)
            taken = take_turns(each.call.samples, setting, heard_so, each.moments)
            counted(each.silences, taken, figures)
    return found


def _weighed(cost: Cost) -> Predict:
    """The detector, which notes what it costs. Nothing else runs meanwhile."""
    before = psutil.Process().memory_info().rss
    predict = EOT().predict

    def weighed(samples: Samples) -> float:
        began = time.process_time()
        probability = float(predict(samples))
        cost.cpu_seconds += time.process_time() - began
        if not cost.predictions:
            cost.memory_mb = (psutil.Process().memory_info().rss - before) / 1e6
        cost.predictions += 1
        return probability

    return weighed
