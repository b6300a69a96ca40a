"""`make soak MINUTES=15`: calls come and go, things fail, and the worker may not grow.

One worker with all that it can keep and send: records, metrics, traces. Prints a table with the
growth of each figure, draws docs/soak.svg where asked, and ends with 1 if anything grows.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console

from workbench.arguments import command, positive, writable
from workbench.bench.chaos import faults
from workbench.bench.chaos.calls import QUESTIONS, Outcome, call
from workbench.bench.chaos.fleet import AGENT_NAME, Fleet, fleet
from workbench.bench.pages import terminal_table
from workbench.bench.soak import inside
from workbench.bench.soak.picture import picture
from workbench.bench.soak.sampling import KEPT, Sample, Sampler
from workbench.bench.soak.trend import Trend, trend
from workbench.local.livekit_server import free_port
from workbench.local.running import PROJECT
from workbench.standins.otlp_collector import collector

SAMPLE_SECONDS = 5.0
WARM_UP_SHARE = 0.2
PAUSE_SECONDS = (15.0, 40.0)
FAULTS = (
    faults.break_the_model,
    faults.break_the_voice,
    faults.deafen,
    faults.kill_a_job,
    faults.withdraw_the_key,
    faults.restart_the_server,
)


@dataclass(frozen=True, slots=True)
class Soak:
    """How long, with how many calls at once, and by which seed."""

    minutes: float
    at_once: int
    seed: int


@dataclass
class Soaked:
    """What was seen."""

    samples: list[Sample] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def trends(self) -> dict[str, Trend]:
        """Of each figure, without the time in which everything is loaded for the first time."""
        warm = self.samples[round(len(self.samples) * WARM_UP_SHARE) :]
        times = [each.seconds for each in warm]
        found = {}
        for kept in KEPT:
            values = [float(getattr(each, kept.field)) for each in warm]
            most = max(kept.tolerance, kept.share * sorted(values)[len(values) // 2])
            found[kept.name] = trend(times, values, most)
        return found


async def run(soak: Soak, folder: Path) -> Soaked:
    """Hold calls for so long, with faults meanwhile, and sample the worker."""
    tasks = folder / "tasks"
    for each in ("tmp", "records"):
        (folder / each).mkdir()
    with collector() as received:
        settings = {
            "AGENT_MAX_CALLS": str(soak.at_once),
            "AGENT_METRICS_PORT": str(free_port()),
            "OTEL_EXPORTER_OTLP_ENDPOINT": received.url,
            "SOAK_TASKS": str(tasks),
            "PYTHONPATH": f"{Path(inside.__path__[0])}:{PROJECT}",
            "TMPDIR": str(folder / "tmp"),
        }
        async with fleet(1, folder, settings) as made:
            (worker,) = made.workers
            return await _soak(soak, made, Sampler(worker, made.ground.access, folder, tasks))


async def _soak(soak: Soak, made: Fleet, sampler: Sampler) -> Soaked:
    soaked, chance = Soaked(), random.Random(soak.seed)
    until = time.monotonic() + soak.minutes * 60
    numbers = itertools.count(1)
    breaking = asyncio.create_task(_break(made, soaked, chance))
    async with asyncio.TaskGroup() as group:
        for _ in range(soak.at_once):
            group.create_task(_call_again(made, soaked, numbers, until))
        group.create_task(_sample(sampler, soaked, until))
    breaking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await breaking
    return soaked


async def _call_again(made: Fleet, soaked: Soaked, numbers: Iterator[int], until: float) -> None:
    questions = itertools.cycle(QUESTIONS.items())
    while time.monotonic() < until:
        room = f"call {next(numbers)}"
        report = await call(made.ground.access, room, AGENT_NAME, dict([next(questions)]))
        soaked.outcomes[report.outcome] += 1
        if report.outcome is Outcome.LOST:
            print(f"{room}: lost, {report.story}", flush=True)


async def _break(made: Fleet, soaked: Soaked, chance: random.Random) -> None:
    while True:
        for fault in chance.sample(FAULTS, len(FAULTS)):
            await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
            soaked.faults[fault.__name__.replace("_", " ")] += 1
            await fault(made, chance)


async def _sample(sampler: Sampler, soaked: Soaked, until: float) -> None:
    while time.monotonic() < until:
        with contextlib.suppress(psutil.NoSuchProcess):
            soaked.samples.append(await sampler.sample())
        await asyncio.sleep(SAMPLE_SECONDS)


def rows(trends: dict[str, Trend]) -> list[tuple[str, ...]]:
    """A line for each figure."""
    return [
        (
            name,
            f"{each.typical:.4g}",
            f"{each.growth:+.2f}",
            f"{each.tolerance:.3g}",
            "flat" if each.is_flat else "GROWS",
        )
        for name, each in trends.items()
    ]


def title(soak: Soak, soaked: Soaked) -> str:
    """What was done, in one line."""
    calls, broken = sum(soaked.outcomes.values()), sum(soaked.faults.values())
    return f"{soak.minutes:g} minutes, {calls} calls, {soak.at_once} at once, {broken} faults"


HEADS = ("", "median", "growth", "may grow", "")


def _parsed(arguments: Sequence[str] | None) -> tuple[Soak, Path | None]:
    parser = command("make soak", __doc__)
    parser.add_argument("--minutes", type=positive, default=15)
    parser.add_argument("--at-once", type=positive, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(1000))
    parser.add_argument("--picture", type=writable, help="draw it into this file")
    chosen = parser.parse_args(arguments)
    return Soak(chosen.minutes, chosen.at_once, chosen.seed), chosen.picture


def main() -> int:
    """Parse, run, print; 1 if anything grows."""
    soak, drawn = _parsed(None)
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"Seed {soak.seed}; the logs are in {folder}", flush=True)
    soaked = asyncio.run(run(soak, folder))
    (folder / "samples.json").write_text(
        json.dumps([dataclasses.asdict(each) for each in soaked.samples]), encoding="utf-8"
    )
    trends = soaked.trends()
    Console(width=110).print(terminal_table(title(soak, soaked), HEADS, rows(trends)))
    print({outcome.value: count for outcome, count in soaked.outcomes.items()})
    print(dict(soaked.faults))
    if drawn:
        drawn.write_text(picture(soaked.samples, title(soak, soaked)), encoding="utf-8")
    return 0 if all(each.is_flat for each in trends.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
