"""A setting's turns, and the detector's opinions, as the spans of `bench.talk.eot_bench`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from agent.caller.speech_energy import speech_spans
from workbench.bench.talk.eot_bench import (
    SHORTEST_SILENCE_MS,
    Outcome,
    Policy,
    Silence,
    cutoffs_at,
    judge,
    latency_at,
    silences,
    sweep,
)
from workbench.bench.talk.spans import Span
from workbench.bench.turns.corpus import SAMPLE_RATE, Call
from workbench.bench.turns.pauses import Moment

__all__ = ["HEADS", "Placed", "judged_silences", "placed", "row", "row_of", "taken_silences"]

HEADS = (
    "",
    "cutoff rate",
    "mean latency",
    "cutoffs @300 ms",
    "cutoffs @600 ms",
    "latency @5 %",
    "latency @10 %",
)

Placed = tuple[float, Silence]
"""A silence, and where in its call it begins, in ms."""

# As a setting takes its turns, whatever eot-bench's policies would make of them.
_AS_IT_IS = Policy(threshold=0.5, action_delay_ms=0, timeout_ms=3500)


def placed(call: Call) -> list[Placed]:
    """Every silence of a call's turns, in order."""
    found: list[Placed] = []
    for turn in call.turns:
        margin_ms = 50
        begin_ms = max(0, turn.start_ms - margin_ms)
        sound = call.samples[_at(begin_ms) : _at(turn.end_ms + margin_ms)]
        pause_seconds = SHORTEST_SILENCE_MS / 1000
        speech = [
            Span(begin_ms + each.start_seconds * 1000, begin_ms + each.end_seconds * 1000)
            for each in speech_spans(sound, SAMPLE_RATE, pause_seconds=pause_seconds)
        ]
        gaps = silences(speech, speech[-1].end_ms + call.gap_seconds * 1000)
        ends = [
            before.end_ms
            for before, after in pairwise(speech)
            if after.start_ms - before.end_ms >= SHORTEST_SILENCE_MS
        ]
        found += zip([*ends, speech[-1].end_ms], gaps, strict=True)
    return found


def taken_silences(of_call: Sequence[Placed], taken_ms: Sequence[int]) -> Iterator[Silence]:
    """Where a turn was taken in a silence, an end was told for sure."""
    for begin_ms, silence in of_call:
        said = tuple(
            (at - begin_ms, 1.0)
            for at in sorted(taken_ms)
            if begin_ms <= at < begin_ms + silence.duration_ms
        )
        yield replace(silence, predictions=said)


def judged_silences(of_call: Sequence[Placed], moments: Sequence[Moment]) -> Iterator[Silence]:
    """The same for the detector alone, which has an opinion."""
    for begin_ms, silence in of_call:
        said = tuple(
            (each.at_ms - begin_ms, each.probability)
            for each in moments
            if each.kind == "judged" and 0 <= each.at_ms - begin_ms < silence.duration_ms
        )
        yield replace(silence, predictions=said)


def row(name: str, heard: Sequence[Silence], *, as_it_is: bool = True) -> tuple[str, ...]:
    """One line of the table. A detector alone has no policy of its own."""
    return row_of(name, sweep(heard), judge(heard, _AS_IT_IS) if as_it_is else None)


def row_of(name: str, outcomes: Sequence[Outcome], own: Outcome | None = None) -> tuple[str, ...]:
    """The same, of what policies made of it; `own` is what the setting itself did."""
    return (
        name,
        _share(own),
        _ms(own),
        *(_share(cutoffs_at(outcomes, budget_ms)) for budget_ms in (300, 600)),
        *(_ms(latency_at(outcomes, budget)) for budget in (0.05, 0.10)),
    )


def _at(ms: float) -> int:
    return round(ms * SAMPLE_RATE / 1000)


def _share(outcome: Outcome | None) -> str:
    return "" if outcome is None else f"{outcome.cutoff_rate:.0%}"


def _ms(outcome: Outcome | None) -> str:
    return "" if outcome is None else f"{outcome.mean_latency_ms:.0f} ms"
