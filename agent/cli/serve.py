"""`dev`, `start` and `connect`: the three ways to run the worker."""

import asyncio
from typing import Annotated

import typer

from agent import log
from agent.call.history.record import RecordsError, prepare_folder
from agent.cli.faults import USAGE, explained, give_up, loaded_settings
from agent.worker import signals
from config.secrets import secrets_of
from config.settings import Settings

LONGEST_ROOM_NAME = 256  # LiveKit's server refuses longer ones


def dev() -> None:
    """Serve calls while you work on the agent. Ctrl-C ends calls in progress at once."""
    _serve(devmode=True)


def start() -> None:
    """Serve calls in production. On SIGTERM or Ctrl-C, calls in progress may finish."""
    _serve(devmode=False)


def connect(room: Annotated[str, typer.Option(help="Name of the room to join.")]) -> None:
    """Join one room, hold that call, and exit when it ends."""
    if not 0 < len(room) <= LONGEST_ROOM_NAME:
        give_up(f"A room's name has 1 to {LONGEST_ROOM_NAME} characters.", code=USAGE)
    settings = _prepared()
    # The worker takes seconds to import: a mistake in a setting is reported before that.
    from agent.worker.run import join
    from agent.worker.server import build_server

    with explained(settings):
        asyncio.run(join(build_server(settings), settings, room))


def _serve(*, devmode: bool) -> None:
    settings = _prepared()
    from agent.worker.run import serve
    from agent.worker.server import build_server

    with explained(settings):
        asyncio.run(serve(build_server(settings), settings, devmode=devmode))


def _prepared() -> Settings:
    signals.block()
    settings = loaded_settings()
    agent = settings.agent
    log.configure(
        agent.log_level,
        agent.log_format,
        transcripts=agent.log_transcripts,
        secrets=secrets_of(settings),
    )
    if agent.record_dir:
        try:
            prepare_folder(agent.record_dir)
        except RecordsError as error:
            give_up(f"AGENT_RECORD_DIR: {error}", code=USAGE)
    return settings
