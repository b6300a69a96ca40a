"""`python -m workbench.compare`: prints the comparison and writes docs/comparison.md."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from workbench.compare.clients import CLIENTS
from workbench.compare.driver import observe, quiet_logs
from workbench.compare.losses import TROUBLES, Trouble, add_up
from workbench.compare.report import Row, loss_rows, page, rows, table
from workbench.compare.scenario import Scenario
from workbench.compare.scenarios import SCENARIOS, SHORT

_PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
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


async def count_losses(troubles: Sequence[Trouble], streams: int) -> list[Row]:
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
    return [
        row
        for trouble in troubles
        for row in loss_rows(
            trouble.title,
            [add_up([run.result() for run in runs[trouble, client]]) for client in CLIENTS],
        )
    ]


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m workbench.compare", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few scenarios, seconds; no page")
    parser.add_argument("--streams", type=int, default=_STREAMS, help="for each kind of loss")
    options = parser.parse_args()
    console, names = Console(), [client.name for client in CLIENTS]
    with quiet_logs():
        if options.short:
            console.print(table("Short", asyncio.run(compare_all(SHORT)), names))
            return 0
        scenario_rows = asyncio.run(compare_all(SCENARIOS))
        console.print(table("When something goes wrong", scenario_rows, names))
        lost = asyncio.run(count_losses(TROUBLES, options.streams))
        console.print(table("Words lost over minutes", lost, names))
    _PAGE.write_text(page(scenario_rows, lost, names), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
