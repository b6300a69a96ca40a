"""`make alerts`: each alert fires within two minutes of its fault.

With `--healthy-minutes 20` calls are held without a fault instead, and no alert may fire.
"""

import asyncio
import contextlib
import itertools
import logging
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console

from workbench.arguments import command
from workbench.bench.alerts.faults import PLACES, PLANTED, Planted
from workbench.bench.alerts.minute import changes
from workbench.bench.alerts.prometheus_server import Prometheus, page_of, prometheus_server
from workbench.bench.chaos.calls import Outcome, call
from workbench.bench.chaos.faults import control
from workbench.bench.chaos.fleet import AGENT_NAME, Fleet, fleet
from workbench.bench.pages import terminal_table

WITHIN_SECONDS = 120.0
WORKERS = 2
LOOK_SECONDS = 1.0
SETTLE_SECONDS = 25.0
MINUTE_SECONDS = 60.0
CALLERS = 1
PAUSE_SECONDS = 10.0
"""In good health: how many call at once, and how long until each calls again."""
SETTINGS = {
    "AGENT_MAX_CALLS": str(PLACES),
    "AGENT_METRICS_PORT": "0",
    "AGENT_EAGERNESS": "full",
    "AGENT_SILENCE_SECONDS": "600",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one fault."""

    planted: Planted
    was_silent: bool
    """The alert did not fire before."""
    fired_after_seconds: float | None
    """None: not within `WITHIN_SECONDS`."""

    @property
    def holds(self) -> bool:
        """Whether the alert fired for the fault, in time."""
        return self.was_silent and self.fired_after_seconds is not None


async def prove(made: Fleet, prometheus: Prometheus, planted: Planted) -> Proof:
    """Plant one fault, wait for its alert, and take the fault back."""
    was_silent = planted.alert not in await prometheus.firing()
    breaking = asyncio.create_task(_of(planted, made))
    fired = await _fired(prometheus, planted.alert, breaking)
    breaking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await breaking
    await control(made, "/openai", method="DELETE")
    return Proof(planted, was_silent, fired)


async def _of(planted: Planted, made: Fleet) -> None:
    await planted.fault(made)


async def _fired(prometheus: Prometheus, alert: str, breaking: asyncio.Task[None]) -> float | None:
    began = time.monotonic()
    while (seconds := time.monotonic() - began) < WITHIN_SECONDS:
        if alert in await prometheus.firing():
            return seconds
        if breaking.done():
            breaking.result()
        await asyncio.sleep(LOOK_SECONDS)
    return None


async def prove_all(chosen: list[Planted], logs: Path) -> list[Proof]:
    """Plant these faults one after the other."""
    proofs: list[Proof] = []
    async with (
        fleet(WORKERS, logs, SETTINGS) as made,
        prometheus_server(made.workers, logs) as prometheus,
    ):
        await asyncio.sleep(SETTLE_SECONDS)
        for each in chosen:
            proofs.append(await prove(made, prometheus, each))
            _say(f"{each.alert}: {_in_words(proofs[-1])}")
    return proofs


async def stay_healthy(minutes: float, logs: Path) -> set[str]:
    """Hold calls without a fault; the alerts that fired all the same."""
    fired: set[str] = set()
    outcomes: list[Outcome] = []
    numbers = itertools.count(1)
    async with (
        fleet(WORKERS, logs, SETTINGS) as made,
        prometheus_server(made.workers, logs) as prometheus,
        asyncio.TaskGroup() as group,
    ):
        until = time.monotonic() + minutes * 60

        async def hold() -> None:
            while time.monotonic() < until:
                report = await call(made.ground.access, f"call {next(numbers)}", AGENT_NAME)
                outcomes.append(report.outcome)
                await asyncio.sleep(PAUSE_SECONDS)

        for _ in range(CALLERS):
            group.create_task(hold())
        group.create_task(_show_minute(made))
        while time.monotonic() < until:
            fired |= (found := await prometheus.firing())
            if found:
                _say(f"fires: {', '.join(sorted(found))}")
            await asyncio.sleep(LOOK_SECONDS * 5)
    _say(f"{len(outcomes)} calls: {sorted(each.value for each in set(outcomes))}")
    return fired


async def _show_minute(made: Fleet) -> None:
    """Print what a minute under load changes on one worker's page of metrics."""
    address = await page_of(made.workers[0])
    async with aiohttp.ClientSession(f"http://{address}") as http:
        pages: list[str] = []
        for _ in range(2):
            await asyncio.sleep(MINUTE_SECONDS)
            async with http.get("/metrics") as answer:
                pages.append(await answer.text())
    shown = terminal_table("A minute of the first worker", ("", "before", "after"), changes(*pages))
    Console(width=120).print(shown)


def _in_words(proof: Proof) -> str:
    if not proof.was_silent:
        return "fired already before its fault"
    if proof.fired_after_seconds is None:
        return f"did not fire within {WITHIN_SECONDS:.0f} s"
    return f"fired after {proof.fired_after_seconds:.0f} s"


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


def main() -> int:
    """Parse, run, print; 1 if an alert does not do what it should."""
    parser = command("make alerts", __doc__)
    parser.add_argument("--only", action="append", choices=[each.alert for each in PLANTED])
    parser.add_argument("--healthy-minutes", type=float)
    chosen = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    logs = Path(tempfile.mkdtemp(prefix="alerts-"))
    print(f"The logs are in {logs}", flush=True)
    if chosen.healthy_minutes:
        fired = asyncio.run(stay_healthy(chosen.healthy_minutes, logs))
        print(f"fired in {chosen.healthy_minutes:g} minutes of health: {sorted(fired) or 'none'}")
        return 1 if fired else 0
    wanted = [each for each in PLANTED if not chosen.only or each.alert in chosen.only]
    proofs = asyncio.run(prove_all(wanted, logs))
    rows = [(each.planted.alert, each.planted.name, _in_words(each)) for each in proofs]
    Console(width=100).print(terminal_table("Alerts", ("alert", "fault", ""), rows))
    return 0 if all(each.holds for each in proofs) else 1


if __name__ == "__main__":
    sys.exit(main())
