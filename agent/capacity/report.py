"""How limits and measurements are shown: tables for people, JSON for programs."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from agent.capacity.in_force import Limit
from agent.capacity.judgement import IN_A_ROOM, MARGIN, Step, cores_per_call
from agent.capacity.trial import Trial

HEAD = f"{'calls':>6} {'lag ms':>7} {'worst':>6} {'reply s':>8} {'p95':>6} {'cores':>6} {'CPU':>5}"

UNKNOWN = (
    "Not measured: LiveKit's server, if it runs on this machine; the network; the providers' own "
    "delays; your tools.",
    "Whatever else ran on this machine meanwhile counts as always running.",
)


def in_force(limits: Sequence[Limit]) -> list[str]:
    """A line for each limit."""
    return [f"{each.name:<17} {each.value:<12} {each.why}" for each in limits]


def in_force_json(limits: Sequence[Limit]) -> str:
    """The same, as one object."""
    return json.dumps({"in_force": [asdict(each) for each in limits]}, indent=2)


def row(step: Step) -> str:
    """One row below `HEAD`."""
    return (
        f"{step.calls:>6} {step.lag * 1000:>7.0f} {step.worst_lag * 1000:>6.0f} {step.reply:>8.2f} "
        f"{step.slow_reply:>6.2f} {step.cores:>6.2f} {step.machine:>5.0%}"
    )


def advice(trial: Trial) -> list[str]:
    """What follows, and the lines for `.env`."""
    found, each = trial.advice, cores_per_call(trial.steps)
    why = found.limited_by or "there was no time to try more"
    memory = "" if math.isnan(trial.call_mb) else f" and {trial.call_mb:.0f} MB"
    if not found.max_calls:
        return [
            f"This machine cannot hold the fewest calls that were tried: {why}.",
            "If something else keeps it busy, try again when that has ended.",
        ]
    return [
        f"{found.held} calls went well here ({why}). A call took {each:.3f} of a core{memory}.",
        f"In a room a call takes {IN_A_ROOM:g} times that, as measured elsewhere, and {MARGIN:.0%} "
        "of the machine are left for calls that begin.",
        *UNKNOWN,
        "",
        *env(trial),
    ]


def env(trial: Trial) -> list[str]:
    """Lines for `.env`."""
    return [
        f"AGENT_MAX_CALLS={trial.advice.max_calls}",
        f"AGENT_MAX_LOOP_LAG_MS={trial.limits.lag * 1000:.0f}",
        f"AGENT_MAX_CPU_PERCENT={trial.limits.cpu * 100:.0f}",
    ]


def trial_json(trial: Trial) -> str:
    """Everything that was measured, as one object."""
    told = {
        "max_calls": trial.advice.max_calls,
        "held": trial.advice.held,
        "limited_by": trial.advice.limited_by,
        "call_mb": None if math.isnan(trial.call_mb) else round(trial.call_mb, 1),
        "cores": trial.limits.cores,
        "cores_per_call": round(cores_per_call(trial.steps), 4),
        "in_a_room": IN_A_ROOM,
        "margin": MARGIN,
        "steps": [asdict(each) for each in trial.steps],
        "env": env(trial) if trial.advice.max_calls else [],
        "not_measured": [*UNKNOWN],
    }
    return json.dumps(told, indent=2)
