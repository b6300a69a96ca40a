"""`doctor`: looks for what keeps calls from working, and says what mends it."""

import asyncio
import logging
import os
from typing import Annotated, NoReturn

import typer


def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
    join: Annotated[
        bool,
        typer.Option(
            help="Join a room of LiveKit's for a moment, to try whether sound can pass. A worker "
            "without AGENT_NAME sends an agent there."
        ),
    ] = True,
    manifests: Annotated[
        typer.FileText | None,
        typer.Option(
            encoding="utf-8",
            help="Look at rendered manifests of Kubernetes instead, a file or - for the standard "
            "input: `kubectl kustomize FOLDER | python agent.py doctor --manifests -`.",
        ),
    ] = None,
) -> None:
    """Check the settings, the services and this machine, and say what mends each fault.

    It takes at most ten seconds, opens no billed session and shows no secret. The exit code is 0
    if nothing is at fault, else 1. docs/troubleshooting.md explains each check.
    """
    from agent.doctor.check import exit_code
    from agent.doctor.examination import examine, examine_manifests
    from agent.doctor.report import document, table
    from config.sources import DOTENV

    async def examine_and_exit() -> NoReturn:
        checks = examine_manifests(manifests) if manifests else await examine(DOTENV, joins=join)
        print(document(checks) if json else "\n".join(table(checks)), flush=True)
        # Now, and not when asyncio has waited for its threads: one may hang in a lookup of a name.
        os._exit(exit_code(checks))

    logging.disable(logging.CRITICAL)  # what libraries log is in the checks, in our words
    asyncio.run(examine_and_exit())
