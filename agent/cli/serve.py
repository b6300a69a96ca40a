"""`dev`, `start` and `connect`: the worker in its three ways of life."""

import asyncio
from typing import Annotated

import typer

from agent.cli.faults import explained, loaded_settings


def dev() -> None:
    """Serve calls while you work on the agent: Ctrl-C ends calls in progress at once."""
    _serve(devmode=True)


def start() -> None:
    """Serve calls in production: on SIGTERM or Ctrl-C running calls may finish."""
    _serve(devmode=False)


def connect(room: Annotated[str, typer.Option(help="Name of the room to join.")]) -> None:
    """Join one room, hold that call, and end with it."""
    from agent import log
    from agent.worker.run import join
    from agent.worker.server import build_server

    settings = loaded_settings()
    log.configure(
        settings.agent.log_level,
        settings.agent.log_format,
        transcripts=settings.agent.log_transcripts,
    )
    with explained(settings):
        asyncio.run(join(build_server(settings), settings, room))


def _serve(*, devmode: bool) -> None:
    from agent import log
    from agent.worker.run import serve
    from agent.worker.server import build_server

    settings = loaded_settings()
    log.configure(
        settings.agent.log_level,
        settings.agent.log_format,
        transcripts=settings.agent.log_transcripts,
    )
    with explained(settings):
        asyncio.run(serve(build_server(settings), settings, devmode=devmode))
