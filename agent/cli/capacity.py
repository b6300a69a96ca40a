"""`capacity`: how many calls this worker takes and why, and how many this machine can hold."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.faults import FAILED, USAGE, give_up, in_words, told_warnings

if TYPE_CHECKING:
    from config.settings import Settings


def capacity(
    *,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Measure this machine with simulated calls, in about a minute. It needs "
            "no key and no LiveKit server, and keeps every core busy.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say how many calls the worker takes at once and why.

    With --calibrate, measure how many this machine can hold, and what to set. The exit code is 0,
    1 if it cannot hold a call or the measurement failed, 2 if a setting is wrong.
    """
    if calibrate:
        _calibrate(as_json=json)
    else:
        _tell(as_json=json)


def _tell(*, as_json: bool) -> None:
    from agent.capacity.in_force import limits
    from agent.capacity.report import in_force, in_force_json
    from agent.worker.load_shedding import cores
    from config.load import origins

    found = limits(_settings(), cores(), origins())
    print(in_force_json(found) if as_json else "\n".join(in_force(found)))


def _calibrate(*, as_json: bool) -> None:
    from agent.capacity.report import HEAD, advice, row, trial_json
    from agent.capacity.trial import calibrate

    _settings()
    if not as_json:
        print(HEAD, flush=True)
    try:
        trial = asyncio.run(
            calibrate(lambda step: None if as_json else print(row(step), flush=True))
        )
    except (RuntimeError, OSError) as error:
        give_up(f"The measurement failed: {error}.")
    print(trial_json(trial) if as_json else "\n".join(["", *advice(trial)]))
    if not trial.advice.max_calls:
        raise SystemExit(FAILED)


def _settings() -> "Settings":
    """Those of the operator, with keys that are not needed here."""
    from agent.capacity.trial import settings_for
    from config.load import SettingsError

    try:
        with told_warnings():
            return settings_for(port=9)
    except SettingsError as error:
        give_up(*in_words(error.faults), code=USAGE)
