"""`python -m workbench.bench.compare`: prints the comparison and writes docs/comparison.md."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from rich.console import Console

from workbench.arguments import command, one_of, positive
from workbench.bench.compare import provider_scenarios
from workbench.bench.compare.clients import CLIENTS
from workbench.bench.compare.driver import observe, quiet_logs
from workbench.bench.compare.losses import TROUBLES, Loss, Trouble, add_up
from workbench.bench.compare.provider_driver import compare_providers
from workbench.bench.compare.provider_scenarios import ProviderScenario
from workbench.bench.compare.report import (
    LOSSES,
    PROVIDERS,
    WIRE,
    Row,
    loss_rows,
    rows,
    terminal,
    write_rows,
)
from workbench.bench.compare.scenario import Scenario
from workbench.bench.compare.scenarios import SCENARIOS, SHORT
from workbench.bench.figures import Figure, add_json_option, write
from workbench.local.running import PROJECT
from workbench.local.workers import own_livekit

PARTS = ("wire", "losses", "providers")
_PAGE = PROJECT / "docs" / "comparison.md"
_AT_ONCE = 12  # scenarios; more would disturb one another on two cores
_STREAMS = 8


async def compare(scenario: Scenario) -> list[Row]:
    """One scenario, for all clients at the same time."""
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(observe(scenario, client)) for client in CLIENTS]
    return rows(scenario, [run.result() for run in runs])


async def compare_all(scenarios: Sequence[Scenario]) -> list[Row]:
    """Several at once, in their order."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(scenario: Scenario) -> list[Row]:
        async with places:
            return await compare(scenario)

    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(in_turn(scenario)) for scenario in scenarios]
    return [row for run in runs for row in run.result()]


Losses = Mapping[str, Sequence[Loss]]
"""By trouble, what each client lost."""


async def count_losses(troubles: Sequence[Trouble], streams: int) -> Losses:
    """All troubles, streams and clients at once."""
    async with asyncio.TaskGroup() as group:
        runs = {
            (trouble, client): [
                group.create_task(observe(scenario, client))
                for scenario in trouble.streams(streams)
            ]
            for trouble in troubles
            for client in CLIENTS
        }
    return {
        trouble.title: [
            add_up([run.result() for run in runs[trouble, client]]) for client in CLIENTS
        ]
        for trouble in troubles
    }


def figures(losses: Losses) -> list[Figure]:
    """For `make bench`: over all troubles."""
    ours, stock = zip(*losses.values(), strict=True)
    lost, doubled = attrgetter("lost"), attrgetter("doubled")
    return [
        Figure(name=name, unit="%", ours=_percent(ours, count), stock=_percent(stock, count))
        for name, count in (("words lost", lost), ("words doubled", doubled))
    ]


def _percent(losses: Sequence[Loss], count: Callable[[Loss], int]) -> float:
    """Of all that was said."""
    return 100 * sum(map(count, losses)) / sum(each.said for each in losses)


async def in_rooms(scenarios: Sequence[ProviderScenario]) -> list[Row]:
    """Provider faults, through a LiveKit server of our own."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        async with own_livekit(logs) as server:
            return await compare_providers(scenarios, server.access, logs, print)


def main() -> int:
    """The exit status."""
    parser = command("workbench.bench.compare", __doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        type=one_of(PARTS),
        metavar="PART",
        help=f"{', '.join(PARTS)}; none: all",
    )
    parser.add_argument("--short", action="store_true", help="a few scenarios, seconds; no page")
    parser.add_argument("--streams", type=positive, default=_STREAMS, help="for each kind of loss")
    parser.add_argument("--quick", action="store_true", help="only losses, of one stream; a minute")
    add_json_option(parser)
    options = parser.parse_args()
    console, names = Console(), [client.name for client in CLIENTS]
    with quiet_logs():
        if options.quick:
            losses = asyncio.run(count_losses(TROUBLES, 1))
            console.print(terminal(LOSSES, _loss_rows(losses), names))
            write(options.json, figures(losses))
            return 0
        for part in options.parts or PARTS:
            heading, found = _measure(part, short=options.short, streams=options.streams)
            console.print(terminal(heading, found, names))
            if not options.short:
                write_rows(_PAGE, heading, found, names)
    return 0


def _measure(part: str, *, short: bool, streams: int) -> tuple[str, list[Row]]:
    match part:
        case "wire":
            return WIRE, asyncio.run(compare_all(SHORT if short else SCENARIOS))
        case "losses":
            return LOSSES, _loss_rows(asyncio.run(count_losses(TROUBLES, 1 if short else streams)))
        case _:
            chosen = provider_scenarios.SHORT if short else provider_scenarios.SCENARIOS
            return PROVIDERS, asyncio.run(in_rooms(chosen))


def _loss_rows(losses: Losses) -> list[Row]:
    return [row for title, each in losses.items() for row in loss_rows(title, each)]


if __name__ == "__main__":
    sys.exit(main())
