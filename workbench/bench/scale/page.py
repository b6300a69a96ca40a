"""docs/scale.md and its pictures, from the simulation."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from workbench.bench.pages import markdown_table
from workbench.bench.scale.limit import PAID, Limit, Minute, minutes_to_reach, ramp
from workbench.bench.scale.picture import Curve, curves
from workbench.bench.scale.rollout import Rolled, least_minutes, roll
from workbench.bench.scale.sizing import Fleet, fleet
from workbench.bench.scale.storm import Reopened, Service, back_within, storm
from workbench.bench.scale.words import (
    COST,
    FLEET,
    INTRODUCTION,
    LIMITS,
    RAMP,
    STORM,
    UPDATE,
)

__all__ = ["Scale", "page", "pictures"]

SIZES = (100, 10_000, 1_000_000)
CALL_SECONDS, LONG_CALL_SECONDS = 180.0, 600.0
USED_SHARE = 0.7
"""Of AssemblyAI's limit: above it the limit grows, so that a fleet that has grown uses so much."""

UPDATE_MINUTES = (1, 2, 4, 6, 7, 8, 10)
RAMP_MINUTES, STORM_SECONDS, STREAMS_AT_MOST = 110, 660, 10_000
POLICIES = (
    ("shared budget", True, False),
    ("each for itself", False, False),
    ("each for itself, refusals count", False, True),
)
HOUR_PRICES = (("universal-streaming", 0.15), ("universal-3-6-pro", 0.45))
"""Dollars for an hour of a session: assemblyai.com/pricing and protocol notes, section 14."""

MINUTE_PRICES = (0.11, 0.25)
"""Dollars for a minute of a call with everything in it, as the field quotes it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The whole simulation for one seed."""

    seed: int

    def ramp(self, calls: int) -> list[Minute]:
        """From nothing to so many calls, on a paid account that has just begun."""
        return ramp(calls, CALL_SECONDS, RAMP_MINUTES, Limit(PAID))

    def limit(self, calls: int, call_seconds: float) -> int:
        """AssemblyAI's limit once the fleet has held so many calls for an hour."""
        return max(round(PAID), round(calls * 60 / call_seconds / USED_SHARE))

    def service(self, calls: int, call_seconds: float, policy: str) -> Service:
        """AssemblyAI, as a fleet that holds so many calls has come to know it."""
        limit = self.limit(calls, call_seconds)
        _, _, refusals_count = next(each for each in POLICIES if each[0] == policy)
        return Service(limit, calls * 60 / call_seconds / limit, refusals_count)

    def storm(self, calls: int, call_seconds: float, policy: str) -> Reopened:
        """All of them lose their sessions. Of a million, a hundredth is simulated."""
        _, shared, _ = next(each for each in POLICIES if each[0] == policy)
        parts = max(1, calls // STREAMS_AT_MOST)
        service = self.service(calls // parts, call_seconds, policy)
        rng = np.random.default_rng(self.seed + parts)
        found = storm(calls // parts, service, STORM_SECONDS, rng, shared=shared)
        return found.times(parts)

    def update(self, calls: int, minutes: float) -> Rolled:
        """All pods are replaced, with hand-over, within so many minutes."""
        rng = np.random.default_rng(self.seed)
        return roll(calls, CALL_SECONDS, self.limit(calls, CALL_SECONDS), minutes, rng)


def page(scale: Scale) -> str:
    """The page's text."""
    parts = [INTRODUCTION, FLEET, *_fleets(), "", RAMP, *_ramps(scale), "", STORM]
    parts += [*_storms(scale), "", UPDATE, *_updates(scale), "", COST, *_costs(), "", LIMITS]
    return "\n".join(parts).rstrip() + "\n"


def pictures(scale: Scale) -> dict[str, str]:
    """SVG by the file's name."""
    ramps = [
        Curve(f"{calls:,} calls", [(0, 1), *((at + 1, m.calls) for at, m in enumerate(course))])
        for calls, course in ((each, scale.ramp(each)) for each in SIZES)
    ]
    storms = [
        Curve(name, [(at / 60, 100 * back / 10_000) for at, back in enumerate(found.back[:301])])
        for name, found in (
            (each, _storm(scale, 10_000, CALL_SECONDS, each)) for each, *_ in POLICIES
        )
    ]
    return {
        "scale-ramp.svg": curves(
            "A new paid account at AssemblyAI",
            "calls in progress",
            ramps,
            [10**power for power in range(7)],
            powers=True,
        ),
        "scale-storm.svg": curves(
            "10,000 calls lose their sessions",
            "% that hear again",
            storms,
            [0, 25, 50, 75, 100],
            powers=False,
        ),
    }


def _fleets() -> Iterator[str]:
    heads = ["calls", "calls a pod", "pods", "CPU requested", "memory", "LiveKit's server"]
    heads += ["new sessions a minute", "commands to Redis a second"]
    sizes = [(100, 8), (10_000, 8), (10_000, 32), (1_000_000, 32)]
    found = [fleet(calls, calls_per_pod=each, call_seconds=CALL_SECONDS) for calls, each in sizes]
    yield from markdown_table(heads, [_fleet_row(each) for each in found], names=0)


def _fleet_row(each: Fleet) -> list[str]:
    nodes = f"{each.livekit_cores:,.0f} cores, {each.livekit_nodes:,} nodes"
    return [
        *(f"{each.calls:,}", f"{each.calls_per_pod}", f"{each.pods:,}"),
        *(f"{each.cores:,.0f} cores", f"{each.memory_gb:,.0f} GB", nodes),
        f"{each.new_sessions_per_minute:,.0f}",
        f"{each.redis_commands_per_second:,.0f}",
    ]


def _ramps(scale: Scale) -> Iterator[str]:
    heads = [
        "calls",
        "reached after",
        "by the formula",
        "the limit then",
        "pods, if nodes are there",
    ]
    rows = []
    for calls in SIZES:
        course = scale.ramp(calls)
        reached = next(at + 1 for at, each in enumerate(course) if each.calls >= 0.999 * calls)
        pods = fleet(calls, calls_per_pod=32, call_seconds=CALL_SECONDS).pods
        rows.append(
            [
                *(f"{calls:,}", f"{reached} min"),
                f"{math.ceil(minutes_to_reach(calls, CALL_SECONDS))} min",
                f"{course[reached - 1].limit:,.0f}",
                f"{math.log2(pods / 2) / 2:.0f} min",
            ]
        )
    yield from markdown_table(heads, rows, names=0)


@cache
def _storm(scale: Scale, calls: int, call_seconds: float, policy: str) -> Reopened:
    return scale.storm(calls, call_seconds, policy)


def _storms(scale: Scale) -> Iterator[str]:
    heads = ["calls", "of", "who asks", "hear again after 20 s", "60 s", "180 s", "all of them"]
    heads += ["refused", "most in a second"]
    rows = []
    for calls, call_seconds in (
        (100, CALL_SECONDS),
        (10_000, CALL_SECONDS),
        (10_000, LONG_CALL_SECONDS),
    ):
        for name, *_ in POLICIES:
            rows.append(_storm_row(_storm(scale, calls, call_seconds, name), call_seconds, name))
    rows += [
        _storm_row(_storm(scale, SIZES[-1], CALL_SECONDS, name), CALL_SECONDS, name)
        for name, *_ in POLICIES
    ]
    yield from markdown_table(heads, rows, names=3)
    yield ""
    service = scale.service(10_000, CALL_SECONDS, POLICIES[0][0])
    shares = ", ".join(
        f"{100 * back_within(10_000, service, seconds):.0f} % after {seconds} s"
        for seconds in (20, 60, 180)
    )
    yield f"By the formula, for 10,000 calls of three minutes: {shares}."


def _storm_row(found: Reopened, call_seconds: float, name: str) -> list[str]:
    until = found.seconds_until(1.0)
    return [
        *(f"{found.sessions:,}", f"{call_seconds / 60:.0f} min", name),
        *(f"{100 * found.share_after(seconds):.0f} %" for seconds in (20, 60, 180)),
        f"not in {STORM_SECONDS // 60} min" if until is None else f"{until} s",
        f"{found.refused:,}",
        f"{found.busiest_second:,}",
    ]


def _updates(scale: Scale) -> Iterator[str]:
    heads = ["all pods within", "100 calls: turned away", "10,000 calls", "1,000,000 calls"]
    heads.append("10,000 calls: the last one handed over after")
    rows = []
    for minutes in UPDATE_MINUTES:
        found = [scale.update(calls, minutes) for calls in SIZES]
        rows.append(
            [
                f"{minutes} min",
                *(f"{100 * each.turned_away / each.callers:.0f} %" for each in found),
                f"{found[1].minutes:.1f} min",
            ]
        )
    yield from markdown_table(heads, rows, names=0)
    yield ""
    yield f"By the formula: {least_minutes(CALL_SECONDS, USED_SHARE):.0f} minutes."


def _costs() -> Iterator[str]:
    heads = ["calls, all day", *(f"AssemblyAI, {name}" for name, _ in HOUR_PRICES)]
    heads.append("everything, as the field quotes it")
    rows = []
    for calls in SIZES:
        least, most = (calls * 1440 * price for price in MINUTE_PRICES)
        of_assemblyai = (f"${calls * 24 * price:,.0f}" for _, price in HOUR_PRICES)
        rows.append([f"{calls:,}", *of_assemblyai, f"${least:,.0f} to ${most:,.0f}"])
    yield from markdown_table(heads, rows, names=0)
