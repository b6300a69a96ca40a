"""`make chaos`: thirty calls over three workers and two LiveKit servers, and faults at random
moments. Nobody is lost.

`--nodes 1`: over one LiveKit server, without Redis.
"""

import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.tasks import Tasks
from workbench.arguments import command, positive, writable
from workbench.bench.chaos.calls import Outcome, Report, call
from workbench.bench.chaos.drawing import Story, Struck, draw
from workbench.bench.chaos.faults import Fault, plan
from workbench.bench.chaos.fleet import AGENT_NAME, Fleet, fleet
from workbench.bench.figures import Figure, add_json_option, write

PAUSE_SECONDS = (2.0, 8.0)
CLUSTER_PAUSE_SECONDS = (8.0, 24.0)
"""Between faults of the cluster: each takes longer to get over."""


@dataclass(frozen=True, slots=True)
class Chaos:
    """How much of it."""

    calls: int = 30
    workers: int = 3
    nodes: int = 2
    at_once: int = 3
    faults: int = 24
    seed: int = 0


QUICK = Chaos(calls=6, workers=2, nodes=1, at_once=2, faults=5, seed=5)


async def run(chaos: Chaos, logs: Path) -> Story:
    """Hold the calls, with the faults meanwhile; what became of each."""
    chance = random.Random(chaos.seed)
    settings = {"AGENT_MAX_CALLS": str(chaos.at_once)}
    if chaos.nodes > 1:  # a worker that is told to stop hands its calls over
        settings["AGENT_HAND_OVER_SECONDS"] = "20"
    struck: list[Struck] = []
    async with fleet(chaos.workers, logs, settings, nodes=chaos.nodes) as made:
        gate = asyncio.Semaphore(chaos.at_once)
        faults = plan(chaos.faults, chance, nodes=chaos.nodes)
        async with Tasks() as tasks:
            for each, pause in zip(faults, (CLUSTER_PAUSE_SECONDS, PAUSE_SECONDS), strict=True):
                tasks.start(_break(made, each, chance, pause, struck), name="faults")
            holding = [_call(made, f"call {number + 1}", gate) for number in range(chaos.calls)]
            reports = await asyncio.gather(*holding)
    return Story(reports, struck)


async def _call(made: Fleet, room: str, gate: asyncio.Semaphore) -> Report:
    async with gate:
        report = await call(made.ground.access, room, AGENT_NAME)
        heard = report.hearing
        silence = f" (longest silence {heard.longest_silence_seconds:.1f} s)" if heard else ""
        _say(f"{room}: {report.outcome.value} {report.story}{silence}")
        return report


async def _break(
    made: Fleet,
    faults: list[Fault],
    chance: random.Random,
    pause_seconds: tuple[float, float],
    struck: list[Struck],
) -> None:
    for fault in faults:
        await asyncio.sleep(chance.uniform(*pause_seconds))
        name = fault.__name__.replace("_", " ")
        _say(f"    {name}")
        struck.append(Struck(time.monotonic(), name))
        await fault(made, chance)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


def summary(reports: Sequence[Report]) -> str:
    """The figures, line by line."""
    count = Counter(report.outcome for report in reports)
    waits = sorted(each.greeted_seconds for each in reports if each.greeted_seconds is not None)
    silences = sorted(each.hearing.longest_silence_seconds for each in reports if each.hearing)
    lines = [f"{outcome.value:<52}{count[outcome]:>4}" for outcome in Outcome]
    if waits:
        lines.append(f"first words after {waits[len(waits) // 2]:.1f} s (longest {waits[-1]:.1f})")
    if silences:
        middle = silences[len(silences) // 2]
        lines.append(f"longest silence of a call {middle:.1f} s (longest {silences[-1]:.1f})")
    return "\n".join(lines)


def figures(reports: Sequence[Report]) -> list[Figure]:
    """For `make bench`."""
    count = Counter(report.outcome for report in reports)
    answered = count[Outcome.ANSWERED] + count[Outcome.REPLACED]
    waits = sorted(each.greeted_seconds for each in reports if each.greeted_seconds is not None)
    found = [
        Figure(name="callers lost", unit="", ours=count[Outcome.LOST]),
        Figure(name="callers answered", unit="", ours=answered, more_is_better=True),
    ]
    if waits:
        middle = waits[len(waits) // 2]
        found.append(Figure(name="first words, median, among faults", unit="s", ours=middle))
    if silences := [each.hearing.longest_silence_seconds for each in reports if each.hearing]:
        found.append(Figure(name="longest silence, among faults", unit="s", ours=max(silences)))
    return found


def main() -> int:
    """Parse, run, print; 1 if a caller was lost."""
    parser = command("make chaos", __doc__)
    for name in ("calls", "workers", "nodes", "at-once", "faults"):
        default = getattr(Chaos(), name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=positive, default=default)
    parser.add_argument("--seed", type=int, default=random.randrange(1000))
    parser.add_argument("--quick", action="store_true", help="six calls and five faults, a minute")
    parser.add_argument("--svg", type=writable, metavar="FILE", help="draw the run here")
    add_json_option(parser)
    chosen = vars(parser.parse_args())
    is_quick, file, picture = chosen.pop("quick"), chosen.pop("json"), chosen.pop("svg")
    chaos = QUICK if is_quick else Chaos(**chosen)
    # The native library of the callers tells of every fault at length.
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    logs = Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"Seed {chaos.seed}; the logs are in {logs}")
    story = asyncio.run(run(chaos, logs))
    print(summary(story.reports))
    write(file, figures(story.reports))
    if picture:
        title = f"{chaos.calls} calls, {chaos.workers} workers, {chaos.nodes} LiveKit servers"
        picture.write_text(draw(story, f"{title}, seed {chaos.seed}"), encoding="utf-8")
    return 1 if any(report.outcome is Outcome.LOST for report in story.reports) else 0


if __name__ == "__main__":
    sys.exit(main())
