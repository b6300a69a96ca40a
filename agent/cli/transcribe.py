"""`transcribe`: a worker that writes down what is said in its rooms, and says nothing."""

import asyncio
import os
from typing import Annotated

import typer

from agent import log
from agent.cli.faults import explained, loaded_settings


def transcribe(
    *,
    dev: Annotated[
        bool, typer.Option("--dev", help="Ctrl-C ends rooms in progress at once.")
    ] = False,
) -> None:
    """Join rooms, and publish each participant's words as text under that participant's name."""
    # Nothing thinks or speaks here, but the settings ask for OpenAI's key.
    os.environ["OPENAI_API_KEY"] = "not-used-by-transcribe"
    settings = loaded_settings()
    agent = settings.agent
    log.configure(agent.log_level, agent.log_format, transcripts=agent.log_transcripts)
    from agent.call.transcription import Pen, write_down
    from agent.worker.run import serve
    from agent.worker.server import build_server

    with explained(settings):
        server = build_server(settings, entrypoint=write_down, prepare=Pen)
        asyncio.run(serve(server, settings, devmode=dev))
