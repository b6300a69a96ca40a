"""`transcribe`: a silent worker that writes down what is said in its rooms."""

import asyncio
from typing import Annotated

import typer

from agent import log
from agent.cli.faults import explained, loaded_settings
from agent.personal_data import rules_of
from agent.worker import signals
from config.secrets import secrets_of


def transcribe(
    *,
    dev: Annotated[
        bool, typer.Option("--dev", help="Ctrl-C ends rooms in progress at once.")
    ] = False,
) -> None:
    """Join rooms, and publish each participant's words as text under that participant's name."""
    signals.block()
    # Nothing thinks or speaks here, so no key for it is needed.
    settings = loaded_settings({"openai": {"api_key": "not-needed"}})
    agent = settings.agent
    log.configure(
        agent.log_level,
        agent.log_format,
        transcripts=agent.log_transcripts,
        secrets=secrets_of(settings),
        rules=rules_of(agent),
    )
    from agent.call.people.need import Need
    from agent.call.people.participants import AgentRole
    from agent.transcription import TranscriberKit, finish, transcribe_room
    from agent.worker.run import serve
    from agent.worker.server import build_server

    # Under the answering agents' name the server could send a caller to either kind.
    name = {"name": Need.to_transcribe(agent).agent_name}
    settings = settings.model_copy(update={"agent": agent.model_copy(update=name)})
    with explained(settings):
        server = build_server(
            settings,
            entrypoint=transcribe_room,
            before_leaving=finish,
            prepare=TranscriberKit,
            role=AgentRole.TRANSCRIBES,
        )
        asyncio.run(serve(server, settings, devmode=dev, speaks=False))
