"""From what was measured to how many calls a machine can hold. Times are in seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

IN_A_ROOM = 3.2
"""What a call in a room takes of the CPU, as a multiple of one here: LiveKit's native library, its
events and the room cannot run without a server. `make capacity` measured 12.9 % of a core for each
of eight calls where a call here took 4.0 % (2026-11-28)."""

MARGIN = 0.15
"""The share of a machine that is left for calls that begin, records and the worker itself."""

SLOWER = 1.5
"""Replies are too slow from this multiple on of what they take with the fewest calls."""


@dataclass(frozen=True, slots=True)
class Step:
    """So many calls at once, and how they went."""

    calls: int
    lag: float
    """Half of the calls ran what was due later than this, on average."""
    worst_lag: float
    reply: float
    """The median, from the end of a caller's voice to the first sound of the answer."""
    slow_reply: float
    """The 95th percentile."""
    cores: float
    """What the calls used of the cores."""
    machine: float
    """The share of the machine's cores that was used by whatever ran, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a machine must keep."""

    cores: float
    lag: float
    cpu: float
    """The share of the cores that may be in use, 0 to 1."""


def cores_per_call(steps: Sequence[Step]) -> float:
    """What one call takes of a core without a room: of the fullest step, which weighs most."""
    fullest = max(steps, key=lambda each: each.calls)
    return fullest.cores / fullest.calls


def fault(step: Step, first: Step, limits: Limits) -> str:
    """Why this number of calls is too high; empty if it is not."""
    if step.lag > limits.lag:
        return f"event loops ran {step.lag * 1000:.0f} ms late"
    if step.cores > limits.cpu * limits.cores:
        return f"the calls used {step.cores:.1f} cores"
    if step.slow_reply > first.slow_reply * SLOWER:
        return f"replies took {step.slow_reply:.2f} s"
    return ""


def next_level(steps: Sequence[Step], limits: Limits) -> int | None:
    """How many calls to try next; None when that is known closely enough.

    Half of what the CPU allows comes after the first step, then more by two fifths. When a level
    was too high, the middle between it and the highest that went well comes next.
    """
    first = steps[0]
    held = max((each.calls for each in steps if not fault(each, first, limits)), default=0)
    failed = min((each.calls for each in steps if fault(each, first, limits)), default=None)
    if failed is not None:
        return None if failed - held <= max(1, held / 6) else (held + failed) // 2
    if len(steps) == 1:
        fit = limits.cpu * limits.cores / max(cores_per_call(steps), 1e-3)
        return max(held + 1, math.floor(fit / 2))
    return held + max(1, math.ceil(held * 2 / 5))


@dataclass(frozen=True, slots=True)
class Advice:
    """What to set, and why."""

    max_calls: int
    """0: this machine cannot hold a call, or has no time for one now."""
    held: int
    """The most calls that went well here."""
    limited_by: str
    """What went wrong with more; empty if nothing did."""


def advise(steps: Sequence[Step], limits: Limits, *, memory_calls: int) -> Advice:
    """From all steps, in their order. `memory_calls`: how many calls fit into the memory."""
    first = steps[0]
    held = max((each.calls for each in steps if not fault(each, first, limits)), default=0)
    beyond = min(
        (each for each in steps if fault(each, first, limits)),
        key=lambda each: each.calls,
        default=None,
    )
    why = fault(beyond, first, limits) if beyond else ""
    calls = math.floor(held / IN_A_ROOM * (1 - MARGIN))
    if held and memory_calls < calls:
        return Advice(max(0, memory_calls), held, "the memory holds no more")
    return Advice(max(calls, 1) if held else 0, held, why)
